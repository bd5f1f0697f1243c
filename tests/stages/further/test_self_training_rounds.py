"""Rounds label more comments by stage two's own trials, stop when they help no more, and are kept apart."""

from pathlib import Path

import optuna
import pyarrow.parquet as pq
import pytest

from stages.further import run_further as stage
from stages.further.ablation import run_ablation
from stages.further.comparison import REPORT
from stages.further.run_further import run_further
from stages.runtime.run_context import store_url
from storage.records import model_registry
from studies.optuna_storage import open_optuna
from tests.helpers.searched_project import opened

pytestmark = pytest.mark.usefixtures("one_thread")
ROUNDS = ("rounds={most: 3, comments: 10, top: 1}", "pseudo_label.sample=60", "further.trials=1")


def rising(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Makes rounds worth these values, in turn."""
    left = iter(values)
    monkeypatch.setattr(stage, "_value", lambda chosen: next(left))


def names(plan: Path) -> list[str]:
    found = optuna.get_all_study_names(open_optuna(store_url(opened(plan).plan)))
    return sorted(name for name in found if "further" in name and "controls" not in name)


def test_a_round_learns_from_more_comments_that_the_one_before_labelled(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising(monkeypatch, [0.5, 0.6, 0.7])
    run = opened(searched, *ROUNDS)
    told = run_further(run).as_json()
    assert [(one["round"], one["labels"]) for one in told["rounds"]] == [(1, 60), (2, 70), (3, 80)]
    assert told["rounds"][0]["teacher"] == []
    assert told["rounds"][1]["teacher"] == ["further/models-bert/trial-0"]
    assert told["winner"]["round"] == 3
    assert told["winner"]["path"] is not None
    assert len(names(searched)) == 3
    kept = {record.name for record in model_registry.models(run.engine, "small", stage="further")}
    assert len(kept) == 3
    assert told["winner"]["name"] in kept
    assert told["rounds"][2]["teacher"][0] in kept
    labelled = [name for name in run.files.names("samples") if "round-3" in name]
    table = pq.read_table(run.files.fetch(labelled[0]))
    assert table.num_rows == len(set(table.column("key").to_pylist())) == 20
    assert REPORT in {row["split"] for row in told["rows"]}


def test_rounds_end_when_one_helps_no_more_and_the_best_one_wins(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising(monkeypatch, [0.5, 0.5])
    told = run_further(opened(searched, *ROUNDS)).as_json()
    assert [one["value"] for one in told["rounds"]] == [0.5, 0.5]
    assert told["winner"]["round"] == 1
    assert told["winner"]["name"] == "further/models-bert/trial-0"


@pytest.mark.slow
def test_the_ablation_is_of_the_round_that_won(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_two = ("rounds={most: 3, comments: 10, top: 2}", "pseudo_label.sample=60", "further.trials=2", "further.keep=2")
    run = opened(searched, *of_two)
    with monkeypatch.context() as patch:
        rising(patch, [0.5, 0.6, 0.55])
        found = run_further(run).as_json()
    teacher = found["rounds"][1]["teacher"]
    values = {
        record.name: record.value or 0.0 for record in model_registry.models(run.engine, "small", stage="further")
    }
    assert len(set(teacher)) == 2, "the mean of the two best labels"
    assert values[teacher[0]] >= values[teacher[1]]
    told = run_ablation(run).as_json()
    assert " · round 2 " in told["studies"][0]["name"]
    assert {row["seeds"] for row in told["rows"]} == {3}
