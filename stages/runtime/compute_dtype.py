"""The number format of a run's products on each kind of processor: measured once, recorded, and kept to."""

from sqlalchemy import Engine

from storage.database.retry import with_retries
from storage.records.measured_choices import choice, record_choice
from transfer.device.bf16_choice import Choice, Measure, decide_by

MEASURED = "bfloat16 on "  # and the processor: the name of a choice


def keep_precision(engine: Engine, plan: str) -> None:
    """Has this process compute as the store says for its kind of processor, and record what it measures where the store
    says nothing yet.

    So a search that is gone on with, however busy the machine is then, has the digits of one that ran through. A worker
    on a machine with another processor measures that one; each trial's attribute `precision` says what it was run in.
    Nothing is asked before a model computes.
    """

    def decide(processor: str, measure: Measure) -> Choice:
        name = f"{MEASURED}{processor}"
        there = with_retries(lambda: choice(engine, plan, name))
        if there is not None:
            return there
        measured = dict(measure())
        return with_retries(lambda: record_choice(engine, plan, name, measured))

    decide_by(decide)
