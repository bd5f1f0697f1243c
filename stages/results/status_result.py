"""Where a run stands, as `moodline status` reports it. Imports nothing that takes long to import."""

from pydantic import Field

from stages.results.stage_result import Record
from stages.results.study_results import ModelScores, StudyProgress


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


class Coordinator(Record):
    """The process that runs the plan now. since: date and time."""

    host: str
    pid: int
    since: str


class RunningTrial(Record):
    """A trial that runs, or that its worker left when it died: it goes on when the search does.

    worker, host, pid: None where no worker holds it. alive: whether its worker works. seconds: since it began.
    silent_seconds: since the worker's last sign of life; still_seconds: since its last progress. share: of the trial
    that is done, in [0, 1]. epoch: the last one that ended; epochs: how many it is to have, None where the plan does
    not fix them.
    """

    study: str
    trial: int
    worker: str | None
    host: str | None
    pid: int | None
    alive: bool
    seconds: float
    silent_seconds: float | None
    still_seconds: float | None
    share: float | None
    epoch: int
    epochs: float | None


class RunStatus(Record):
    """begun: whether anything was done; if not, all but stages is empty. workspace: its path.

    leader: the coordinator, None where no process runs the plan. workers: the running trials. seconds_to_go: of the
    searches, a rough estimate from the mean duration of trials and the workers of now; None where no trial has ended.
    disk_bytes: the sum of `disk`, bytes by purpose. results: the table of all models so far.
    """

    name: str
    begun: bool
    workspace: str
    stages: list[StageState]
    studies: list[StudyProgress] = Field(default_factory=list)
    leader: Coordinator | None = None
    workers: list[RunningTrial] = Field(default_factory=list)
    seconds_to_go: float | None = None
    disk_bytes: int = 0
    disk: dict[str, int] = Field(default_factory=dict)
    results: list[ModelScores] = Field(default_factory=list)
