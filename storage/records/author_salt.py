"""The secret with which a plan's authors are hashed: generated once, kept in the store, shown nowhere.

With it the same author has the same hash in every shard of a plan; without it names cannot be tried.
"""

from secrets import token_hex

from sqlalchemy import Column, Engine, Named, Table, TypedColumns, select

from storage.database.columns import METADATA, insert_new, writing

BYTES = 16


class _Salts(TypedColumns):
    plan: Named[str] = Column(primary_key=True)
    salt: Named[str]


SALTS = Table("moodline_salts", METADATA, _Salts)


def author_salt(engine: Engine, plan: str) -> str:
    """The plan's salt, 32 hexadecimal digits, generated at the first call; all processes get the same one."""
    with writing(engine) as connection:
        insert_new(connection, SALTS, [{"plan": plan, "salt": token_hex(BYTES)}])
    with engine.connect() as connection:
        return connection.execute(select(SALTS.c.salt).where(SALTS.c.plan == plan)).scalar_one()
