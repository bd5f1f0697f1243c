"""What checking a plan finds: its data, what would run and for how long about, and every problem."""

from pydantic import Field

from stages.results.label_result import CostEstimate
from stages.results.stage_result import Record


class PlannedStage(Record):
    """what: it would do, for people."""

    stage: str
    what: str


class CheckedEncoder(Record):
    """A candidate, without its weights. per_token: parameters that each token of a text is multiplied with."""

    candidate: str
    architecture: str
    layers: int
    parameters: int
    per_token: int


class CheckedDevice(Record):
    """bf16: whether the device computes in bfloat16 natively."""

    name: str
    bf16: bool


class CheckResult(Record):
    """rows: by split, `comments` among them. labels: count by split and label. lengths: characters by split and
    quantile. dropped: rows by reason. overlaps: texts that stand in two splits. conflicts: texts with several labels,
    by split. seconds: a rough estimate by stage. labelling: what servers would cost. A plan that cannot be read has
    problems alone; `moodline run` works where there are none.
    """

    rows: dict[str, int] = Field(default_factory=dict)
    labels: dict[str, dict[str, int]] = Field(default_factory=dict)
    lengths: dict[str, dict[str, int]] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    overlaps: dict[str, int] = Field(default_factory=dict)
    conflicts: dict[str, int] = Field(default_factory=dict)
    would_run: list[PlannedStage] = Field(default_factory=list)
    candidates: list[CheckedEncoder] = Field(default_factory=list)
    device: CheckedDevice | None = None
    seconds: dict[str, float] = Field(default_factory=dict)
    labelling: list[CostEstimate] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    problems: list[str]
