"""Pseudo-labels: what a labeller answered for a comment, kept for good. Knows no plan: plans share answers.

Append-only. Any number of processes may add at once: the first answer of a labeller to a comment stays,
later ones are dropped. A killed run keeps every chunk that was added before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from storage.database.columns import insert_new, records, storable, table_of, writing

# rows of one transaction: a kill loses at most so many, and other writers wait for it milliseconds only
CHUNK = 1_000
# rows of one read; a reader that takes its time must not hold a transaction open meanwhile
PAGE = 10_000
# what an answer took, and how many ways of asking agreed on it
MEASURED = ("agreement", "seconds", "written", "cost", "currency")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One answer of one labeller.

    key: the comment's key (of its normalised text); labeller: the identity; probabilities: over the plan's
    labels in their order, sum 1, or None for "confidence unknown"; label: index into the labels, or None where
    no label could be read from the answer; raw: the answer as it came; tokens: used up; created_at: UTC.
    agreement: share of the answers averaged here that have this label, in (0, 1], None where it is not several;
    seconds: of the clock, its share of the time in which it was asked with others; written: tokens of `tokens` that
    the labeller wrote; cost: money, in `currency`, at the prices when it was asked. None where not known.
    """

    key: str
    labeller: str
    probabilities: list[float] | None
    label: int | None
    raw: str | None
    tokens: int
    created_at: datetime
    agreement: float | None = None
    seconds: float | None = None
    written: int | None = None
    cost: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class LabellerRecord:
    """A labeller: identity (hash of model, revision, prompt, options) and the description that explains it."""

    identity: str
    description: dict[str, Any]
    created_at: datetime


LABELLERS = table_of(LabellerRecord, "moodline_labellers", "identity")
LABELS = table_of(LabelRow, "moodline_labels", "labeller", "key")


def register_labeller(engine: Engine, identity: str, description: Mapping[str, Any]) -> None:
    """Make the labeller known, before its first answers. A known one keeps its first description."""
    row = {"identity": identity, "description": dict(description), "created_at": datetime.now(UTC)}
    with writing(engine) as connection:
        insert_new(connection, LABELLERS, [row])


def labellers(engine: Engine) -> list[LabellerRecord]:
    """All known labellers, oldest first."""
    wanted = select(LABELLERS).order_by(LABELLERS.c.created_at, LABELLERS.c.identity)
    return records(engine, wanted, LabellerRecord)


def add_labels(engine: Engine, labeller: str, rows: Iterable[LabelRow]) -> int:
    """Add the answers whose comment this labeller has not answered yet; returns how many those were.

    Written in chunks of 1,000 rows, each whole or not at all; an iterable that fails midway keeps the chunks
    before. Raises ValueError for a row of another labeller, IntegrityError for a labeller not registered.
    """
    left = iter(rows)
    added = 0
    while chunk := list(islice(left, CHUNK)):
        for row in chunk:
            if row.labeller != labeller:
                raise ValueError(f"a label by {row.labeller!r} among those of {labeller!r}")
        # in the keys' order: processes that add the same keys at once cannot block each other
        found = [
            {**asdict(row), "raw": None if row.raw is None else storable(row.raw)}
            for row in sorted(chunk, key=lambda row: row.key)
        ]
        with writing(engine) as connection:
            added += insert_new(connection, LABELS, found)
    return added


def labels_of(engine: Engine, labeller: str, keys: Iterable[str] | None = None) -> Iterator[LabelRow]:
    """The labeller's answers: all of them, or those to the comments in `keys`. In no order to rely on.

    Read page by page in short transactions, in bounded memory: answers that others add meanwhile may be
    among them or not.
    """
    if keys is None:
        yield from _all_pages(engine, labeller)
        return
    left = iter(set(keys))
    while page := list(islice(left, PAGE)):
        yield from _page(engine, labeller, LABELS.c.key.in_(page))


def _all_pages(engine: Engine, labeller: str) -> Iterator[LabelRow]:
    page = _page(engine, labeller, LABELS.c.key >= "")
    while page:
        yield from page
        page = _page(engine, labeller, LABELS.c.key > page[-1].key)


def _page(engine: Engine, labeller: str, condition: ColumnElement[bool]) -> Sequence[LabelRow]:
    wanted = select(LABELS).where(LABELS.c.labeller == labeller, condition).order_by(LABELS.c.key).limit(PAGE)
    return records(engine, wanted, LabelRow)


def count_labels(engine: Engine, labeller: str) -> int:
    """How many comments the labeller has answered."""
    with engine.connect() as connection:
        wanted = select(func.count()).select_from(LABELS).where(LABELS.c.labeller == labeller)
        return connection.scalar(wanted) or 0
