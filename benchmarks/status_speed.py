"""Time that `moodline status` takes, as a process from start to end, on a store with many trials.

python -m benchmarks.status_speed [--trials 2000] [--runs 7]
It is compared with Optuna's command for the same, `optuna trials`, in a process of its own, on the same store.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.parts import machine, table
from tests.helpers.many_trials import make_many_trials

STUDY = "many · search · klue/bert-base"


def seconds(command: Sequence[str]) -> float:
    """Wall-clock seconds of one run of a command; its output is discarded."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Runs both in turn, and prints medians and extremes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "labelled.csv").write_text("text,label\nyes,joy\nno,anger\n")
        original = {"train": [{"path": "labelled.csv"}]}
        plan = {"name": "many", "labels": ["anger", "joy"], "original": original, "candidates": ["klue/bert-base"]}
        (folder / "plan.yaml").write_text(yaml.safe_dump({**plan, "pseudo_label": None}))
        store = f"sqlite:///{folder}/runs/many/moodline.db"
        make_many_trials(store, STUDY, given.trials)
        moodline = [sys.executable, "-m", "cli", "status", str(folder / "plan.yaml"), "--json"]
        optuna = [
            sys.executable,
            "-c",
            "from optuna.cli import main; main()",
            "trials",
            "--study-name",
            STUDY,
            "--storage",
            store,
            "-f",
            "json",
        ]
        sides: dict[str, list[float]] = {"moodline status": [], "optuna trials": []}
        seconds(moodline), seconds(optuna)  # reads the files of both once
        for _ in range(given.runs):
            sides["moodline status"].append(seconds(moodline))
            sides["optuna trials"].append(seconds(optuna))
    print(f"{machine()}\n{given.trials:,} trials, {given.runs} runs\n")
    rows = [[side, statistics.median(took), min(took), max(took)] for side, took in sides.items()]
    print(table([["", "seconds, median", "least", "most"], *rows]))


if __name__ == "__main__":
    main()
