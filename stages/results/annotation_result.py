"""What annotating a sample of the comments comes to, and what a gold file is made of."""

from pydantic import Field

from stages.results.stage_result import Interval, Record


class AnnotatorAgreement(Record):
    """Two annotators. n: texts that both labelled. accuracy: share of them with the same label, and kappa, Cohen's,
    None where it is undefined: both by the sample's weights."""

    annotators: list[str]
    n: int
    accuracy: float
    kappa: Interval | None


class AnnotationResult(Record):
    """sample: comments that `annotator` is to label; labelled, skipped, left: of these.

    annotators: labels by annotator, of all. agreement: of each two. disagreements: texts with several labels. gold: the
    file written, of `rows` rows, and source: what the plan's `gold` should be; both None while nothing is labelled.
    sheet: the file that was exported, if any.
    """

    annotator: str
    sample: int
    labelled: int
    skipped: int
    left: int
    annotators: dict[str, int]
    agreement: list[AnnotatorAgreement]
    disagreements: int
    rows: int
    gold: str | None
    source: str | None
    sheet: str | None = Field(default=None, exclude_if=lambda path: path is None)
