"""Pseudo-labels written to a file are those of the store."""

from pathlib import Path

import pytest

from stages.label.label_export import export_labels
from stages.label.label_import import import_labels
from stages.label.run_label import run_label
from storage.records.pseudo_labels import labellers, labels_of
from tests.helpers.labelling_project import Labels, boasting, make_labelling, opened

FORMATS = (".csv", ".parquet", ".xlsx")


def mixed(text: str) -> tuple[float, ...] | int | None:
    """Some sure, some of unknown confidence, some no label."""
    number = int(text.split()[1])
    return None if number % 5 == 0 else number % 3 if number % 2 else boasting(text)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_store_passed_on_as_a_file_is_the_same_and_asks_nothing_again(
    tmp_path: Path, labels_by: Labels, suffix: str
) -> None:
    stub = labels_by(mixed)
    plan = make_labelling(tmp_path)
    first, second = opened(plan), opened(plan, "workspace=elsewhere")
    result = run_label(first)
    asked = len(stub.asked)
    file = tmp_path / f"labels{suffix}"
    assert export_labels(first, file).rows == asked
    assert import_labels(second, file).added == asked
    assert import_labels(second, file).added == 0
    before, after = ({row.key: row for row in labels_of(run.engine, "stub")} for run in (first, second))
    assert before == after
    assert labellers(second.engine)[0].description == labellers(first.engine)[0].description
    again = run_label(second)
    assert len(stub.asked) == asked
    assert (again.labelled, again.kappa) == (result.labelled, result.kappa)
