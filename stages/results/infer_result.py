"""What classifying all comments comes to."""

from typing import ClassVar

from stages.results.stage_result import Record, StageResult


class UnreadableInput(Record):
    """A row or file that was passed over. file: as messages show it. line: from 1, None for a whole file. what: why."""

    file: str
    line: int | None
    what: str


class InferResult(StageResult):
    """All comments of the plan, classified.

    rows: comments in the shards. unique: texts that the model read for them. skipped: numbers of comments and files
    that were left out, by reason. faults: the first of what could not be read; all of it is in results/skipped.jsonl.
    seconds, rows_per_second, peak_rss_bytes: of the process that wrote the last shard, and of the comments that it
    classified. engine, precision: of the first model, "none" where nothing was left to classify. shards: names in
    files, in the comments' order. model: the predictor's fingerprint, predictor: its name in tables.
    """

    stage: ClassVar[str] = "infer"

    rows: int
    unique: int
    skipped: dict[str, int]
    faults: tuple[UnreadableInput, ...] = ()
    seconds: float
    rows_per_second: float
    peak_rss_bytes: int
    engine: str
    precision: str = ""
    shards: tuple[str, ...]
    model: str
    predictor: str = ""
