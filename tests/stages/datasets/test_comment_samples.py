"""A sample of comments is taken once and kept; gold stays out of it, whenever it comes."""

from pathlib import Path

import pytest

from stages.datasets.comment_samples import sampled_comments, taken_by
from stages.datasets.original_and_gold import read_gold_rows
from tests.helpers.labelling_project import make_labelling, opened
from transfer.errors import UserError


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return make_labelling(tmp_path, gold=40, comments=120)


def test_comments_that_are_added_later_change_nothing(plan: Path) -> None:
    name, texts = sampled_comments(opened(plan), "masked", 30, set())
    with (plan.parent / "comments.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"n{i},entirely new words {i},2024-03-05T12:00:00Z,v1\n" for i in range(300))
    assert len(texts) == 30
    assert sampled_comments(opened(plan), "masked", 30, set()) == (name, texts)


def test_other_settings_or_another_purpose_make_another_sample(plan: Path) -> None:
    run = opened(plan)
    names = {sampled_comments(run, what, size, set())[0] for what in ("masked", "distil") for size in (20, 30)}
    names.add(sampled_comments(opened(plan, "seed=14"), "masked", 30, set())[0])
    assert len(names) == 5


def test_gold_is_left_out_and_what_is_labelled_after_the_sample_too(plan: Path) -> None:
    run = opened(plan)
    gold = read_gold_rows(run.plan)
    assert gold is not None
    taken = taken_by([], [gold, None])
    _, without_gold = sampled_comments(run, "masked", 120, taken)
    assert len(without_gold) == 80
    assert not set(without_gold) & set(gold.texts)
    before, texts = sampled_comments(run, "distil", 120, set())
    after, kept = sampled_comments(run, "distil", 120, taken)
    assert sorted(kept) == sorted(text for text in texts if text not in set(gold.texts))
    assert after.startswith(before)
    assert after != before


def test_without_any_comment_to_sample_the_reason_is_counted(plan: Path) -> None:
    (plan.parent / "comments.csv").write_text("id,text,time,video\n1,,2024-03-01,v\n", encoding="utf-8")
    with pytest.raises(UserError, match="no comment with a text was found"):
        sampled_comments(opened(plan), "masked", 30, set())
