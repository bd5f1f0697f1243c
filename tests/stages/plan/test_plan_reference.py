"""The page on the plan is current."""

from pathlib import Path

from stages.plan.plan_reference import document

ROOT = Path(__file__).parents[3]


def test_the_plans_page_is_current() -> None:
    assert (ROOT / "docs" / "plan.md").read_text(encoding="utf-8") == document(), (
        "python -m stages.plan.plan_reference > docs/plan.md"
    )
