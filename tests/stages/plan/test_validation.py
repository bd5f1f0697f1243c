"""Every mistake in a plan is reported at once, by line and value, with what to do."""

import pytest

from stages.plan.schema import read_plan
from tests.helpers.short_plan import SHORT, WriteIt
from transfer.errors import UserError, UserErrors


def test_six_mistakes_are_reported_at_once_with_line_value_and_what_to_do(plan_at: WriteIt) -> None:
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
    result = caught.value.problems
    assert len(result) == 6
    assert result[0].startswith("plan.yaml:4, original.train[0].map.분노: no label 'angre' in the plan")
    assert result[1].startswith("plan.yaml:5, original.validation: ")
    assert "0.9" in result[1]
    assert result[2].startswith("plan.yaml:6, candidates: ")
    assert result[3] == "plan.yaml:8, search.trails: unknown key\n  did you mean 'trials'?"
    assert result[4].startswith("plan.yaml:9, search.space.learning_rate: ")
    assert "0.001 lies above high 1e-05" in result[4]
    assert result[5].startswith("plan.yaml:10, index.timezone: ")
    assert "Asia/Seoul" in result[5]


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
