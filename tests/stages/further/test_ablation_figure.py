"""The ablation's table and picture tell whose labels an arm learnt from, and where its mean and its seeds lie."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.further import ablation
from stages.further.ablation_figure import draw_ablation
from stages.further.control_arms import ARMS, BOTH, PSEUDO, UNADAPTED, Controls
from stages.results.further_result import ArmScores
from stages.results.study_results import StudySummary
from stages.study_runs.table_rows import SIMULATED


def row(arm: str, split: str, middle: float) -> ArmScores:
    return ArmScores(
        model=arm,
        stage="ablation",
        split=split,
        n=200,
        seeds=3,
        accuracy=middle,
        macro_f1=middle,
        low=middle - 0.05,
        high=middle + 0.05,
        sd=0.02,
        values=[middle - 0.02, middle, middle + 0.02],
    )


def marks(path: Path) -> int:
    """How many lines of the picture, one below the other, hold the colour in which means and intervals are drawn."""
    with Image.open(path) as image:
        off = np.abs(np.asarray(image.convert("RGB")).astype(int) - (0, 0x72, 0xB2)).sum(axis=2)
    is_blue = (off < 30).any(axis=1)
    return int((is_blue[1:] & ~is_blue[:-1]).sum())


@pytest.mark.parametrize("splits", [["validation"], ["validation", "gold report"]])
def test_every_arm_has_its_mark(tmp_path: Path, splits: list[str]) -> None:
    rows = [row(arm, split, 0.5 + 0.05 * i) for i, arm in enumerate(ARMS) for split in splits]
    draw_ablation(rows, tmp_path / "all.png", "앙상블: 감정", SIMULATED)
    with Image.open(tmp_path / "all.png") as image:
        assert image.format == "PNG"
        assert image.width == 1500
    assert marks(tmp_path / "all.png") == len(ARMS)


def test_only_what_learnt_from_the_stand_ins_labels_is_called_a_simulation() -> None:
    run: Any = SimpleNamespace(plan=SimpleNamespace(labels=["a", "b"], seed=1, is_simulation=True))
    truth = np.arange(40) % 2
    counts = dict.fromkeys(("target", "complete", "pruned", "failed", "running", "waiting"), 0)
    study = StudySummary(name="controls", best=None, **counts)
    said = {"validation": np.eye(2, dtype=np.float32)[truth]}
    found = Controls(study, {(arm, i): said for arm in ARMS for i in (1, 2, 3)})
    rows = [ablation._row(run, found, arm, "validation", truth) for arm in ARMS]
    assert {told.model for told in rows if told and told.note} == {PSEUDO, BOTH, UNADAPTED}
