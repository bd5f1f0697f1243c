"""To which half each gold text was dealt: "tune" chooses, "report" only reports. Dealt once, for good."""

from collections.abc import Mapping

from sqlalchemy import Column, Engine, Named, Table, TypedColumns, select

from storage.database.columns import METADATA, insert_new, writing


class _Gold(TypedColumns):
    plan: Named[str] = Column(primary_key=True)
    key: Named[str] = Column(primary_key=True)
    half: Named[str]


GOLD = Table("moodline_gold", METADATA, _Gold)


def known_halves(engine: Engine, plan: str) -> dict[str, str]:
    """Key of the text to its half, "tune" or "report", for all gold that was ever dealt in this plan."""
    with engine.connect() as connection:
        rows = connection.execute(select(GOLD.c.key, GOLD.c.half).where(GOLD.c.plan == plan)).all()
    return {row.key: row.half for row in rows}


def add_halves(engine: Engine, plan: str, halves: Mapping[str, str]) -> dict[str, str]:
    """Deal the texts that are new; known ones keep their half. Returns the halves of all, which alone count.

    Whole or not at all; several processes may deal at once, and all get the same answer. Raises IntegrityError
    for a half that is neither "tune" nor "report".
    """
    rows = [{"plan": plan, "key": key, "half": half} for key, half in sorted(halves.items())]
    with writing(engine) as connection:
        insert_new(connection, GOLD, rows)
    return known_halves(engine, plan)
