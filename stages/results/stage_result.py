"""What every stage's result has in common: a frozen, documented type that is stored as JSON, and made to JSON again.

A stage's own result type lies beside this one, in a file of the stage's name; other stages and the renderers import
it, and never the stage's code.
"""

import math
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Record(BaseModel):
    """A part of a result: immutable, and strict about what it holds, so that a misspelt field is found at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store_only: ClassVar[frozenset[str]] = frozenset()  # fields that `--json` leaves out

    def as_json(self) -> dict[str, Any]:
        """What the store keeps."""
        return self.model_dump(mode="json")

    def printed(self) -> dict[str, Any]:
        """What `--json` prints."""
        shown = self.model_dump(mode="json", exclude=set(self.store_only))
        return shown | {name: part.printed() for name, part in self if isinstance(part, StageResult)}


class Interval(Record):
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, estimate: tuple[float, float, float]) -> "Interval | None":
        """Of value, low and high as a bootstrap gives them; None where they are NaN, as the statistic is undefined."""
        value, low, high = estimate
        return None if math.isnan(value) else cls(value=value, low=low, high=high)


class TimeLimitStop(Record):
    """A search that its time limit ended. trials: its budget. timeout: in minutes."""

    message: str
    trials: int
    timeout: float


class StageResult(Record):
    """The common part of all results.

    schema_version: of the type; results of 0.1.0 have none, and each type reads them. fingerprint: of the inputs that
    the result was made from, 32 hexadecimal digits. extent: what only adds to it (numbers of trials, files).
    stopped: where a time limit ended the stage early. The three are filled in by stages.runtime.stage_execution.
    """

    stage: ClassVar[str]  # the name of the stage, which is its command's
    store_only = frozenset({"schema_version", "stopped"})

    schema_version: Literal[1] = 1
    fingerprint: str = ""
    extent: dict[str, JsonValue] = Field(default_factory=dict)
    stopped: TimeLimitStop | None = None
