"""The compute dtype of a run on each kind of processor: measured once, recorded, and kept."""

from sqlalchemy import Engine

from storage.database.retry import with_retries
from storage.records.measured_choices import choice, record_choice
from transfer.device.bf16_choice import Choice, Measure, decide_by

MEASURED = "bfloat16 on "  # and the processor: the name under which it is recorded


def keep_precision(engine: Engine, plan: str) -> None:
    """Has this process use the dtype that the store has for its kind of processor, and record what it measures where
    the store has none yet.

    So a search that is resumed gives the same digits as one that was never stopped, however busy the machine is. A
    worker on a machine with another processor measures that one; each trial's attribute `precision` has its own.
    Nothing is measured before a model computes.
    """

    def decide(processor: str, measure: Measure) -> Choice:
        name = f"{MEASURED}{processor}"
        recorded = with_retries(lambda: choice(engine, plan, name))
        if recorded is not None:
            return recorded
        measured = dict(measure())
        return with_retries(lambda: record_choice(engine, plan, name, measured))

    decide_by(decide)
