"""Choices made by measuring, recorded so that a resumed run makes the same ones."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Engine, Named, Table, TypedColumns, delete, select

from storage.database.columns import METADATA, Json, Utc, change, insert_new, writing


class _Choices(TypedColumns):
    plan: Named[str] = Column(primary_key=True)
    name: Named[str] = Column(primary_key=True)
    value: Named[dict[str, Any]] = Column(Json)
    chosen_at: Named[datetime] = Column(Utc)


CHOICES = Table("moodline_choices", METADATA, _Choices)


def choice(engine: Engine, plan: str, name: str) -> dict[str, Any] | None:
    """What was chosen, as it was recorded; None where nothing was."""
    with engine.connect() as connection:
        found = connection.execute(select(CHOICES.c.value).where(CHOICES.c.plan == plan, CHOICES.c.name == name))
        value: dict[str, Any] | None = found.scalar_one_or_none()
    return value


def record_choice(engine: Engine, plan: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    """Records a choice, unless one was recorded before; returns the one that holds. value: as JSON takes it."""
    row = {"plan": plan, "name": name, "value": value, "chosen_at": datetime.now(UTC)}
    with writing(engine) as connection:
        insert_new(connection, CHOICES, [row])
    return choice(engine, plan, name) or value


def forget_choices(engine: Engine, plan: str, prefix: str) -> None:
    """As if no choice whose name begins with `prefix` had been made."""
    wanted = (CHOICES.c.plan == plan) & CHOICES.c.name.startswith(prefix, autoescape=True)
    change(engine, delete(CHOICES).where(wanted))
