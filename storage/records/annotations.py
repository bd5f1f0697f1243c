"""Annotations: one label by each annotator for each comment, stored as soon as it is given."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, select

from storage.database.columns import change, insert_or_replace, records, table_of, writing


@dataclass(frozen=True, slots=True)
class Annotation:
    """label: the label's name, or None where the annotator passed the comment over. labelled_at: UTC."""

    plan: str
    annotator: str
    key: str
    label: str | None
    labelled_at: datetime


ANNOTATIONS = table_of(Annotation, "moodline_annotations", "plan", "annotator", "key")


def annotate(engine: Engine, plan: str, annotator: str, labels: Mapping[str, str | None]) -> None:
    """Keeps labels by key, all of them or none; an earlier answer of the same annotator is replaced."""
    with writing(engine) as connection:
        now = datetime.now(UTC)
        rows = [Annotation(plan, annotator, key, label, now) for key, label in sorted(labels.items())]
        insert_or_replace(connection, ANNOTATIONS, [asdict(row) for row in rows])


def take_back(engine: Engine, plan: str, annotator: str, key: str) -> None:
    """Forgets an answer, as if it had never been given."""
    table = ANNOTATIONS.c
    change(engine, delete(ANNOTATIONS).where(table.plan == plan, table.annotator == annotator, table.key == key))


def annotations(engine: Engine, plan: str) -> list[Annotation]:
    """All answers in this plan, by all annotators, the oldest first."""
    wanted = (
        select(ANNOTATIONS).where(ANNOTATIONS.c.plan == plan).order_by(ANNOTATIONS.c.labelled_at, ANNOTATIONS.c.key)
    )
    return records(engine, wanted, Annotation)
