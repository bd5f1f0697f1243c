"""What queueing a trial by hand comes to."""

from pydantic import JsonValue

from stages.results.stage_result import Record


class QueuedTrial(Record):
    """waiting: trials in the study's queue, this one included. left: how many the budget still has room for. message:
    for people."""

    study: str
    trial: int
    params: dict[str, JsonValue]
    waiting: int
    left: int
    message: str
