"""The ablation's table and picture tell whose labels an arm learnt from, and where its mean and its seeds lie."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.further.ablation_figure import draw_ablation
from stages.further.control_arms import ARMS
from stages.results.further_result import ArmScores
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
