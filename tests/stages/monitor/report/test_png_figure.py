import logging
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from tests.helpers.classified_shards import random_rows


@pytest.fixture(autouse=True)
def _nothing_is_missing(caplog: pytest.LogCaptureFixture) -> object:
    """matplotlib warns of a glyph or a font that it does not find; here that is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield None
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_korean_line_is_drawn_with_every_glyph(line: Line, tmp_path: Path) -> None:
    draw_png(line, tmp_path / "line.png", title="한국어 댓글", notice="모의 실험: 가짜 라벨")
    with Image.open(tmp_path / "line.png") as picture:
        assert picture.size[0] == 1500
        assert picture.size[1] > 1000
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 50
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_what_matplotlib_draws_elsewhere_stays_as_it_was(line: Line, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    draw_png(line, tmp_path / "line.png")
    assert dict(mpl.rcParams) == before
    assert "koreanize_matplotlib" not in sys.modules


def test_the_index_is_drawn_only_where_weights_are_given(
    line: Line, tmp_path: Path, shard: Callable[..., Path]
) -> None:
    rows = random_rows(400, 3)
    without = daily_line([shard(rows)], line.labels, IndexSettings(), 13)
    for name, some in (("with", line), ("without", without)):
        draw_png(some, tmp_path / f"{name}.png")
    with Image.open(tmp_path / "with.png") as tall, Image.open(tmp_path / "without.png") as short:
        assert tall.size[1] - short.size[1] > 300


ODD = [r"$\frac{$", "_hidden", "100 %", "a very long name of an emotion"]


@pytest.mark.parametrize("labels", [ODD, [f"emotion {i}" for i in range(28)]])
@pytest.mark.parametrize("least", [1, 401])
def test_odd_names_many_labels_and_a_line_of_gaps_can_be_drawn(
    labels: list[str], least: int, tmp_path: Path, shard: Callable[..., Path]
) -> None:
    path = shard(random_rows(400, 3, labels=labels), labels=labels)
    draw_png(daily_line([path], labels, IndexSettings(every=["day"], min_comments=least), 13), tmp_path / "line.png")
    assert (tmp_path / "line.png").stat().st_size > 5_000


def test_the_picture_needs_neither_a_display_nor_pyplot(line: Line) -> None:
    code = "import sys, stages.monitor.report.png_figure; print('matplotlib.pyplot' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
