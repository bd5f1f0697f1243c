"""What a plan would run is told stage by stage, in order, in words that name its numbers."""

from pathlib import Path

from stages.check.check_plan import planned_stages
from stages.plan.schema import read_plan
from tests.helpers.labelling_project import make_labelling


def test_each_stage_says_what_it_would_do(tmp_path: Path) -> None:
    plan = read_plan(make_labelling(tmp_path), ["search.trials=4", "pseudo_label.labeller.prompt.orders=3"])
    stages = planned_stages(plan, comments=400, subset=None)
    assert [stage.stage for stage in stages] == ["search", "label", "further", "ensemble", "infer", "monitor"]
    assert stages[0].what == "1 candidates x 4 trials: models/none"
    assert stages[1].what == "100 comments by stub with 3 prompts each"
    assert stages[4].what == "400 comments"
