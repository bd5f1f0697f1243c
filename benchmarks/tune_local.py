"""A local LM's plain prompt beside prompt tuning and LoRA, on the demo's comments with the demo's tiny Gemma.

python -m benchmarks.tune_local FOLDER [--language en] [--seed 13] [--prompt '{...}'] [--lora '{...}']
FOLDER gets the demo's texts and its LM, raised on diaries (minutes); run again, they are taken as they are. Each way
runs through `moodline label`'s own stage: it learns from the original train split, and gold's tune half judges it. The
table is of gold's report half, which nothing has read before; gains are paired. All of it is a simulation.
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
from stages.datasets.original_and_gold import read_gold
from stages.demo.corpus import make_corpus
from stages.demo.demo_files import write_texts
from stages.demo.demo_plan import plan_text
from stages.demo.demo_size import FULL
from stages.demo.pretraining import one_thread
from stages.demo.tiny_lm import make_llm
from stages.label.labeller_ensemble import panels_of
from stages.label.run_label import run_label
from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run
from transfer.corpus.labelled import Labelled
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.paired_bootstrap import bootstrap_gain

# An LM of 64 units wants higher rates than one of 2,560.
PROMPT = {"kind": "prompt", "virtual_tokens": 20, "epochs": 5}
LORA = {"kind": "lora", "rank": 8, "learning_rate": 3e-3, "epochs": 5}


def make(folder: Path, language: str, seed: int) -> Path:
    """The demo's texts, LM and plan, without its encoders."""
    plan = folder / "plan.yaml"
    if not plan.exists():
        for name in ("data", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        corpus = make_corpus(language, seed, FULL)
        write_texts(corpus, folder / "data")
        with one_thread():
            make_llm(corpus.diary, language, folder / "models" / "gemma", seed, FULL)
        plan.write_text(plan_text(language, seed, FULL), encoding="utf-8")
    return plan


def said(run: Run, told: dict[str, Any], rows: Labelled) -> NDArray[np.int64]:
    """Labels of `rows` by the way that was tried, whether it was then used or not."""
    labeller: Any = panels_of(run, None)[0].ways[0]
    for tuning in told["tuning"]:
        labeller = labeller.adapted(run.files.fetch(tuning["adapter"]))
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
    plan = make(given.folder, given.language, given.seed)
    torch.set_num_threads(1)
    ways = {"plain": None, "prompt": PROMPT | yaml.safe_load(given.prompt), "lora": LORA | yaml.safe_load(given.lora)}
    print(f"{machine()}\n\n| | κ | macro-F1 | gain | gain on the tune half | used |\n|---|---|---|---|---|---|")
    plain: NDArray[np.int64] | None = None
    for name, settings in ways.items():
        own = [] if settings is None else [f"pseudo_label.labeller.tuning={json.dumps(settings)}"]
        run = open_run(read_plan(plan, ["pseudo_label.sample=100", "pseudo_label.calibrate=none", *own]))
        told, gold = run_label(run), read_gold(run)
        assert gold is not None
        rows, k = gold.report, len(run.plan.labels)
        found = said(run, told, rows)
        plain = found if plain is None else plain
        cells = [shown(bootstrap_interval(s, found, rows.labels, k, seed=0)) for s in ("kappa", "macro_f1")]
        if settings is not None:
            (tuning,) = told["tuning"]
            judged = tuning["gain"]["macro_f1"]
            cells.append(shown(bootstrap_gain("macro_f1", (plain, found), rows.labels, k, seed=0), "+"))
            cells += [shown(tuple(judged.values()), "+"), "yes" if tuning["used"] else "no"]
            losses = [round(loss, 3) for loss in tuning["losses"]]
            print(f"{name}: held-out loss {tuning['plain_loss']:.3f} plain, then {losses}")
        print(f"| {name} (n = {len(rows)}) | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
