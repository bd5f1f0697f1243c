"""A local LM's plain prompt compared with prompt tuning and LoRA, on the demo's comments with the demo's tiny Gemma.

python -m benchmarks.tune_local FOLDER [--language en] [--seed 13] [--prompt '{...}'] [--lora '{...}']
FOLDER gets the demo's texts and models; if they exist, they are used. Each method runs through `moodline label`'s own
stage: it is trained on the original train split, and evaluated on gold's tune half. The table is of gold's report half,
which was not read before; gains are paired. All of it is a simulation.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from benchmarks.parts import machine
from stages.datasets.run_data import RunData
from stages.demo.make_demo import make_demo
from stages.label.labeller_ensemble import labeller_ensembles
from stages.label.run_label import run_label
from stages.plan.schema import read_plan
from stages.results.label_result import LabelResult
from stages.runtime.run_context import Run, open_run
from transfer.corpus.labelled import Labelled
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.paired_bootstrap import bootstrap_gain

# An LM of 64 units wants higher rates than one of 2,560.
PROMPT = {"kind": "prompt", "virtual_tokens": 20, "epochs": 5}
LORA = {"kind": "lora", "rank": 8, "learning_rate": 3e-3, "epochs": 5}


def said(run: Run, result: LabelResult, rows: Labelled) -> NDArray[np.int64]:
    """Labels of `rows` by the method that was tried, whether it was then used or not."""
    labeller: Any = labeller_ensembles(run, None)[0].variants[0]
    for tuning in result.tuning:
        labeller = labeller.adapted(run.files.fetch(tuning.adapter))
    answers = dict(labeller.answer(rows.texts))
    return np.array([answers[i].label for i in range(len(rows))], dtype=np.int64)


def shown(interval: tuple[float, float, float], sign: str = "") -> str:
    """A figure with its interval."""
    value, low, high = (f"{figure:{sign}.3f}" for figure in interval)
    return f"{value} ({low} to {high})"


def main() -> None:
    """Tunes, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", choices=["en", "ko"], default="en")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--prompt", default="{}", help="further settings of prompt tuning, as YAML")
    parser.add_argument("--lora", default="{}", help="further settings of LoRA, as YAML")
    given = parser.parse_args()
    plan = make_demo(given.folder, given.language, given.seed, print)
    torch.set_num_threads(1)
    ways = {"plain": None, "prompt": PROMPT | yaml.safe_load(given.prompt), "lora": LORA | yaml.safe_load(given.lora)}
    print(f"{machine()}\n\n| | κ | macro-F1 | gain | gain on the tune half | used |\n|---|---|---|---|---|---|")
    plain: NDArray[np.int64] | None = None
    for name, settings in ways.items():
        own = [] if settings is None else [f"pseudo_label.labeller.tuning={json.dumps(settings)}"]
        run = open_run(read_plan(plan, ["pseudo_label.sample=100", "pseudo_label.calibrate=none", *own]))
        result, gold = run_label(run), RunData(run).gold
        assert gold is not None
        rows, k = gold.report, len(run.plan.labels)
        found = said(run, result, rows)
        plain = found if plain is None else plain
        cells = [shown(bootstrap_interval(s, found, rows.labels, k, seed=0)) for s in ("kappa", "macro_f1")]
        if settings is not None:
            (tuning,) = result.tuning
            assert tuning.gain is not None
            gain = tuning.gain.macro_f1
            cells.append(shown(bootstrap_gain("macro_f1", (plain, found), rows.labels, k, seed=0), "+"))
            cells += [shown((gain.value, gain.low, gain.high), "+"), "yes" if tuning.used else "no"]
            losses = [loss and round(loss, 3) for loss in tuning.losses]
            print(f"{name}: held-out loss {tuning.plain_loss:.3f} plain, then {losses}")
        print(f"| {name} (n = {len(rows)}) | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
