"""How far a run has come, stage by stage, and the table of all its models."""

from pydantic import Field

from stages.results.model_scores import ModelScores
from stages.results.stage_result import Record


class StageState(Record):
    """A stage of the plan. state: waiting, running, done, stopped, interrupted or failed. seconds: that it took."""

    stage: str
    state: str
    seconds: float


class RunOverview(Record):
    """plan, workspace: paths. results: the table of all models of the furthest stage that is done."""

    plan: str
    workspace: str
    stages: list[StageState]
    results: list[ModelScores] = Field(default_factory=list)
