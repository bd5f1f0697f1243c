from collections.abc import Callable
from pathlib import Path

import pytest

from stages.plan.schema import read_plan
from transfer.errors import UserError, UserErrors

WriteIt = Callable[[str], Path]
SHORT = """
name: short
labels: [anger, happiness]
original: {train: [{path: train.csv}]}
comments: [{path: comments.csv}]
candidates: [klue/bert-base]
"""


@pytest.fixture
def plan_at(tmp_path: Path) -> WriteIt:
    def write(text: str) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_shortest_useful_plan_has_a_practitioners_defaults(plan_at: WriteIt) -> None:
    plan = read_plan(plan_at(SHORT))
    assert (plan.search.trials, plan.search.metric, plan.search.pruner, plan.search.keep) == (
        20,
        "macro_f1",
        "median",
        3,
    )
    assert (plan.original.validation, plan.original.test) == (0.1, 0.1)
    assert plan.ensemble.combine == "mean"
    assert plan.pseudo_label is not None
    assert plan.pseudo_label.labeller.model == "google/gemma-3-4b-it"
    assert plan.root == plan.base / "runs" / "short"


def test_six_mistakes_are_told_at_once_with_line_value_and_what_to_do(plan_at: WriteIt) -> None:
    path = plan_at(
        "name: x\n"
        "labels: [anger, happiness]\n"
        "original:\n"
        "  train: [{path: a.csv, map: {분노: angre}}]\n"
        "  validation: 0.9\n"
        "candidates: []\n"
        "search:\n"
        "  trails: 3\n"
        "  space: {learning_rate: {low: 1e-3, high: 1e-5}}\n"
        "index: {timezone: Asia/Soul}\n"
    )
    with pytest.raises(UserErrors) as caught:
        read_plan(path)
    told = caught.value.problems
    assert len(told) == 6
    assert told[0].startswith("plan.yaml:4, original.train[0].map.분노: no label 'angre' in the plan")
    assert told[1].startswith("plan.yaml:5, original.validation: ")
    assert "0.9" in told[1]
    assert told[2].startswith("plan.yaml:6, candidates: ")
    assert told[3] == "plan.yaml:8, search.trails: unknown key\n  did you mean 'trials'?"
    assert told[4].startswith("plan.yaml:9, search.space.learning_rate: ")
    assert "0.001 lies above high 1e-05" in told[4]
    assert told[5].startswith("plan.yaml:10, index.timezone: ")
    assert "Asia/Seoul" in told[5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("labels: [anger, anger]", "each label stands once, got anger"),
        ("labels: [yes, no]", "put it in quotes"),
        ("labels: [anger]", "at least 2 items"),
        ("name: a/b", "name"),
        ("seed: -1", "got -1"),
        ("final: median", "'auto', 'best', 'ensemble' or 'distilled'"),
        ("index: {weights: {anger: -1, joy: 1}}", "no label 'joy'"),
        ("search: {space: {pseudo_share: 0.5}}", "no parameter 'pseudo_share'"),
        ("pseudo_label: {labeller: {prompt: {names: {angr: x}}}}", "did you mean 'anger'?"),
        ("comments: [{path: a.csv, tiem: t}]", "did you mean 'time'?"),
        ("comments: [{text: t}]", "path"),
    ],
)
def test_each_mistake_has_a_clear_word(plan_at: WriteIt, line: str, words: str) -> None:
    key = line.split(":", maxsplit=1)[0]
    kept = "\n".join(row for row in SHORT.splitlines() if not row.startswith(f"{key}:"))
    with pytest.raises(UserError) as caught:
        read_plan(plan_at(f"{kept}\n{line}\n"))
    assert words in str(caught.value)
    assert "plan.yaml:" in str(caught.value)


def test_a_missing_key_is_named(plan_at: WriteIt) -> None:
    with pytest.raises(UserErrors, match="candidates: this key is needed"):
        read_plan(plan_at(SHORT.replace("candidates: [klue/bert-base]", "")))


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
def test_what_is_no_plan_is_told(plan_at: WriteIt, tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "none.yaml" if text is None else plan_at(text)
    with pytest.raises(UserError, match=words):
        read_plan(path)


def test_a_plan_in_another_encoding_is_told(tmp_path: Path) -> None:
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
def test_a_wrong_override_is_told_as_such(plan_at: WriteIt, setting: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        read_plan(plan_at(SHORT), [setting])
    assert words in str(caught.value)
