"""Annotations: one label by each annotator for each comment, stored as soon as it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Engine, Named, Table, TypedColumns, delete, select

from storage.database.columns import METADATA, Utc, insert_or_replace, writing


@dataclass(frozen=True, slots=True)
class Annotation:
    """label: the label's name, or None where the annotator passed the comment over. labelled_at: UTC."""

    plan: str
    annotator: str
    key: str
    label: str | None
    labelled_at: datetime


class _Annotations(TypedColumns):
    plan: Named[str] = Column(primary_key=True)
    annotator: Named[str] = Column(primary_key=True)
    key: Named[str] = Column(primary_key=True)
    label: Named[str | None]
    labelled_at: Named[datetime] = Column(Utc)


ANNOTATIONS = Table("moodline_annotations", METADATA, _Annotations)


def annotate(engine: Engine, plan: str, annotator: str, labels: Mapping[str, str | None]) -> None:
    """Keeps labels by key, all of them or none; an earlier answer of the same annotator is replaced."""
    with writing(engine) as connection:
        for key, label in sorted(labels.items()):
            row = {"plan": plan, "annotator": annotator, "key": key, "label": label, "labelled_at": datetime.now(UTC)}
            insert_or_replace(connection, ANNOTATIONS, row)


def take_back(engine: Engine, plan: str, annotator: str, key: str) -> None:
    """Forgets an answer, as if it had never been given."""
    table = ANNOTATIONS.c
    with writing(engine) as connection:
        connection.execute(
            delete(ANNOTATIONS).where(table.plan == plan, table.annotator == annotator, table.key == key)
        )


def annotations(engine: Engine, plan: str) -> list[Annotation]:
    """All answers in this plan, by all annotators, the oldest first."""
    wanted = (
        select(ANNOTATIONS).where(ANNOTATIONS.c.plan == plan).order_by(ANNOTATIONS.c.labelled_at, ANNOTATIONS.c.key)
    )
    with engine.connect() as connection:
        return [Annotation(**row._mapping) for row in connection.execute(wanted)]
