"""A plan asks for the stages that its data allow, in one order."""

from collections.abc import Callable

import pytest

from stages.runtime.run_context import Run
from stages.runtime.stage_order import all_in_order, has_stage_two, stages_of
from storage.records import stage_records

RunIt = Callable[..., Run]
WITH_COMMENTS = ["search", "label", "further", "ensemble", "infer", "monitor"]


@pytest.mark.parametrize(
    ("overrides", "stages"),
    [
        ((), WITH_COMMENTS),
        (("pseudo_label=null",), ["search", "ensemble", "infer", "monitor"]),
        (("comments=[]",), ["search", "ensemble"]),
        (("comments=[{path: c.csv, id: id}]",), WITH_COMMENTS[:-1]),
        (
            ("comments=[]", "pseudo_label.sources=[{path: c.csv, id: id}]"),
            ["search", "label", "further", "ensemble"],
        ),
        (("adapt={}",), ["adapt", *WITH_COMMENTS]),
        (("adapt={before: further}",), ["search", "label", "adapt", *WITH_COMMENTS[2:]]),
        (("adapt={before: further}", "pseudo_label=null"), ["search", "ensemble", "infer", "monitor"]),
        (("distil={encoder: a}",), [*WITH_COMMENTS[:4], "distil", "infer", "monitor"]),
    ],
)
def test_the_stages_of_a_plan(a_run: RunIt, overrides: tuple[str, ...], stages: list[str]) -> None:
    plan = a_run(*overrides).plan
    assert stages_of(plan) == stages
    assert [stage for stage in all_in_order(plan) if stage in stages] == stages


def test_stage_two_counts_when_it_is_done_and_the_plan_still_has_one(a_run: RunIt) -> None:
    run = a_run()
    assert not has_stage_two(run)
    stage_records.begin(run.engine, run.plan.name, "further", "print", {})
    assert not has_stage_two(run)
    stage_records.finish(run.engine, run.plan.name, "further", 1.0, {})
    assert has_stage_two(run)
    assert not has_stage_two(a_run("pseudo_label=null"))
