from collections.abc import Callable
from pathlib import Path

import pytest

from stages.datasets.original_and_gold import read_original
from stages.datasets.run_data import RunData
from stages.runtime.run_context import Run

RunIt = Callable[..., Run]
LABELS = ("anger", "sadness", "neutral", "happiness")


@pytest.fixture
def with_data(a_run: RunIt, tmp_path: Path) -> Run:
    rows = [f"text number {i},{LABELS[i % 4]}" for i in range(80)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    gold = [f"gold number {i},{LABELS[i % 4]}" for i in range(40)] + ["Text  number 3,anger"]
    (tmp_path / "gold.csv").write_text("\n".join(["text,label", *gold]))
    return a_run("gold={path: gold.csv}")


def test_golds_texts_never_train_anything(with_data: Run) -> None:
    gold = RunData(with_data).gold
    assert gold is not None
    keys = {*gold.tune.keys, *gold.report.keys}
    assert len(keys) == 41
    original = read_original(with_data.plan, keys)
    assert not keys & set(original.train.keys)
    assert original.dropped["train: also in gold"] == 1


def test_golds_halves_share_nothing_and_later_gold_changes_none(with_data: Run, tmp_path: Path) -> None:
    before = RunData(with_data).gold
    assert before is not None
    assert not set(before.tune.keys) & set(before.report.keys)
    assert abs(len(before.tune) - len(before.report)) <= 4
    with (tmp_path / "gold.csv").open("a") as file:
        file.write("\n" + "\n".join(f"new gold {i},{LABELS[i % 4]}" for i in range(20)))
    after = RunData(with_data).gold
    assert after is not None
    assert set(before.tune.keys) <= set(after.tune.keys)
    assert set(before.report.keys) <= set(after.report.keys)
    assert len(after.tune) + len(after.report) == 61


def test_splits_are_the_same_whatever_the_order_of_rows(with_data: Run, tmp_path: Path) -> None:
    before = read_original(with_data.plan)
    lines = (tmp_path / "train.csv").read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    after = read_original(with_data.plan)
    assert after.test is not None
    assert before.test is not None
    assert set(after.test.keys) == set(before.test.keys)
    assert set(after.validation.keys) == set(before.validation.keys)
