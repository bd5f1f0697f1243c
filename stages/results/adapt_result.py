"""What adapting encoders to the comments' language comes to."""

from typing import ClassVar

from pydantic import Field

from stages.results.stage_result import Record, StageResult


class AdaptationLoss(Record):
    """Masked-token loss on held-out comments, in nats a token."""

    before: float
    after: float


class AdaptedEncoder(Record):
    """One adapted candidate. name: of its folder in files. seconds: of training. texts: comments trained on."""

    name: str
    steps: int
    seconds: float
    texts: int
    loss: AdaptationLoss


class AdaptResult(StageResult):
    """adapted: by candidate. superseded: names of what was adapted with other settings before."""

    stage: ClassVar[str] = "adapt"

    adapted: dict[str, AdaptedEncoder]
    superseded: list[str] = Field(default_factory=list)

    def folders(self) -> set[str]:
        """Names in files of all that was adapted so far."""
        return {*(encoder.name for encoder in self.adapted.values()), *self.superseded}
