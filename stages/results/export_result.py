"""What `moodline export` reports."""

from stages.results.stage_result import Record


class ExportResult(Record):
    """folder: as it was named. predictor: its name, with those of its members. formats: by further form of the weights,
    the largest difference of its probabilities from torch's."""

    folder: str
    predictor: str
    members: list[str]
    formats: dict[str, float]
