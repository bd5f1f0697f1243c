"""The plan's file, with the line of each value, and `--set` on top of it."""

from pathlib import Path

import pytest

from stages.plan.schema import read_plan
from tests.helpers.short_plan import SHORT, WriteIt
from transfer.errors import UserError


def test_a_key_that_stands_twice_is_refused(plan_at: WriteIt) -> None:
    with pytest.raises(UserError, match=r"plan.yaml:7, name: the key stands here twice"):
        read_plan(plan_at(SHORT + "name: again\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "no YAML"),
        ("", "keys and values are needed"),
        ("- a\n", "keys and values are needed"),
        (None, "no such plan"),
    ],
)
def test_what_is_no_plan_is_reported(plan_at: WriteIt, tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "none.yaml" if text is None else plan_at(text)
    with pytest.raises(UserError, match=words):
        read_plan(path)


def test_a_plan_in_another_encoding_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes("name: 감정".encode("cp949"))
    with pytest.raises(UserError, match="save the plan as UTF-8"):
        read_plan(path)


def test_numbers_may_be_written_as_people_write_them(plan_at: WriteIt) -> None:
    plan = read_plan(plan_at(SHORT + "search: {space: {learning_rate: 1e-4, weight_decay: {low: 0, high: .1}}}\n"))
    assert plan.search.space["learning_rate"] == 1e-4


def test_set_overrides_a_value_also_inside_a_list(plan_at: WriteIt) -> None:
    plan = read_plan(
        plan_at(SHORT), ["search.trials=4", "comments[0].path=b.csv", "labels=[a, b, c]", "search.space.epochs=1"]
    )
    assert plan.search.trials == 4
    assert plan.comments[0].path == "b.csv"
    assert plan.labels == ["a", "b", "c"]
    assert plan.search.space == {"epochs": 1}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("search.trials", "a key and a value are needed"),
        ("search.trials=many", "--set search.trials=many: "),
        ("comments[3].path=x", "the plan has nothing at comments"),
        ("serach.trials=1", "did you mean 'search'?"),
    ],
)
def test_a_wrong_override_is_reported_as_such(plan_at: WriteIt, setting: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        read_plan(plan_at(SHORT), [setting])
    assert words in str(caught.value)
