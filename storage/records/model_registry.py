"""The models that are kept: which trial made each, how good it is, and where in Files its weights lie.

Files first, record second: publish the weights, then `add`; when a model goes, `remove` the record, then the
weights. So a record always points at a whole model, and a kill leaves at worst weights without a record.
Any number of processes may add and read; one process, its maker, owns a model's name.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Engine, delete, select

from storage.database.columns import change, insert_or_replace, records, table_of, writing


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One kept model.

    name: unique within its plan; stage: that made it; study, trial: of Optuna, None for a model that no trial
    made; candidate: the pretrained encoder; path: its name in Files; bytes: on disk; value: the objective's, in
    the study's own direction, None where it has none; metrics: figures by name; recipe: all parameters that it was
    trained with; lineage: fingerprints and names of what it was made from; created_at: UTC.
    """

    name: str
    plan: str
    stage: str
    study: str | None
    trial: int | None
    candidate: str
    path: str
    bytes: int
    value: float | None
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    lineage: dict[str, Any]
    created_at: datetime


MODELS = table_of(ModelRecord, "moodline_models", "plan", "name", bytes=BigInteger())


def add(engine: Engine, record: ModelRecord) -> None:
    """Record the model, in the place of an earlier one of that name and plan."""
    with writing(engine) as connection:
        insert_or_replace(connection, MODELS, [asdict(record)])


def get(engine: Engine, plan: str, name: str) -> ModelRecord | None:
    """The model of that name; None if there is none."""
    wanted = select(MODELS).where(MODELS.c.plan == plan, MODELS.c.name == name)
    return next(iter(records(engine, wanted, ModelRecord)), None)


def models(engine: Engine, plan: str, stage: str | None = None, study: str | None = None) -> list[ModelRecord]:
    """The plan's models, of one stage or one study if so wanted, oldest first."""
    wanted = select(MODELS).where(MODELS.c.plan == plan).order_by(MODELS.c.created_at, MODELS.c.name)
    if stage is not None:
        wanted = wanted.where(MODELS.c.stage == stage)
    if study is not None:
        wanted = wanted.where(MODELS.c.study == study)
    return records(engine, wanted, ModelRecord)


def remove(engine: Engine, plan: str, name: str) -> None:
    """Forget the model; one that is not there is no error. Its weights stay: remove them from Files next."""
    change(engine, delete(MODELS).where(MODELS.c.plan == plan, MODELS.c.name == name))
