"""Events from csv files: days with a few words, marked on page and picture. Nothing checks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from stages.monitor.analysis.dated_csv import dated_rows
from stages.monitor.schema.index_settings import EventSource
from stages.monitor.schema.line import Line
from transfer.errors import UserError

MOST = 60  # more marks cannot be read
LONGEST = 200  # letters of one event


@dataclass(frozen=True)
class Event:
    """day: of the plan's time zone. text: what happened, in a few words."""

    day: date
    text: str


def read_events(source: EventSource, base: Path, where: str) -> list[Event]:
    """A file's events in the order of time. where: the plan's key of the file, for messages.

    Raises UserError where it cannot be read (see dated_rows), holds no event, too many, or one too long.
    """
    path, events = base / source.path, list[Event]()
    for line, day, text in dated_rows(path, source.time, source.text, where):
        if len(text) > LONGEST:
            raise UserError(
                f"{where}: {path}, line {line}: an event of {len(text)} letters", f"shorten it to {LONGEST} at most"
            )
        events.append(Event(day, text))
    if not events:
        raise UserError(f"{where}: no event in {path}", "a row needs a time and a text, or leave the file out")
    if len(events) > MOST:
        raise UserError(f"{where}: {len(events)} events in {path}", f"mark {MOST} at most: more cannot be read")
    return sorted(events, key=lambda event: (event.day, event.text))


def within(line: Line, events: Sequence[Event]) -> list[Event]:
    """Those between the line's first and last day, in the order of time: their numbers are their places, from 1."""
    found = [event for event in events if line.first <= event.day <= line.last]
    return sorted(found, key=lambda event: (event.day, event.text))
