"""The sample to annotate is taken once and kept."""

from pathlib import Path

from stages.annotation.annotate import sample_to_annotate
from tests.helpers.labelling_project import opened


def test_comments_added_later_do_not_change_the_sample(plan: Path) -> None:
    before = sample_to_annotate(opened(plan))
    with (plan.parent / "comments.csv").open("a", encoding="utf-8") as file:
        file.write("new,mood1 999 new,2024-03-05T12:00:00Z,v1\n")
    assert sample_to_annotate(opened(plan)) == before
