"""What of a heap of comments cannot be read: passed over, counted, and listed by its place, never by its text."""

from collections import Counter
from dataclasses import dataclass, field

# Stands in the place of a row that cannot be read, so that the rows after it keep their numbers. A noncharacter, which
# no text may hold.
BROKEN = "\ufdd0 row that cannot be read"
MOST_LISTED = 10_000


@dataclass(frozen=True)
class Fault:
    """file: as messages show it. line: from 1, None for a whole file. what: the reason, without a word of the text."""

    file: str
    line: int | None
    what: str


@dataclass
class BadRows:
    """Rows and files passed over so far. counts: "broken row" and "broken file". listed: the first 10,000 of them."""

    counts: Counter[str] = field(default_factory=Counter)
    listed: list[Fault] = field(default_factory=list)

    def row(self, file: str, line: int, what: str) -> None:
        """A row was passed over; its place is held by BROKEN."""
        self._add("broken row", Fault(file, line, what))

    def file(self, file: str, what: str) -> None:
        """A file was passed over, or what is left of it."""
        self._add("broken file", Fault(file, None, what))

    def _add(self, reason: str, fault: Fault) -> None:
        self.counts[reason] += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(fault)


def has_undecodable(text: str) -> bool:
    """Whether a text holds a byte that its file's encoding does not know, read with errors="surrogateescape"."""
    if text.isascii():
        return False
    return any("\udc80" <= letter <= "\udcff" for letter in text) if not _encodes(text) else False


def _encodes(text: str) -> bool:
    """Quicker than looking at each letter, and true of nearly all texts."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
