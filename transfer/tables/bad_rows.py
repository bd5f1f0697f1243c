"""Rows and files of comments that cannot be read: passed over, counted, and listed by place, never by their text."""

from collections import Counter
from dataclasses import dataclass, field

# Marks a row that cannot be read, so that the rows after it keep their numbers. A noncharacter, which no text may hold.
BROKEN = "\ufdd0 row that cannot be read"
UNDECODABLE = "a byte that its encoding does not know"
MOST_LISTED = 10_000


@dataclass(frozen=True)
class BadRow:
    """file: as messages show it. line: from 1, None for a whole file. what: the reason, without a word of the text."""

    file: str
    line: int | None
    what: str


@dataclass
class BadRows:
    """Rows and files passed over so far. counts: "broken row" and "broken file". listed: the first 10,000 of them."""

    counts: Counter[str] = field(default_factory=Counter)
    listed: list[BadRow] = field(default_factory=list)

    def row(self, file: str, line: int, what: str) -> None:
        """A row was passed over; its place is held by BROKEN."""
        self._add("broken row", BadRow(file, line, what))

    def file(self, file: str, what: str) -> None:
        self._add("broken file", BadRow(file, None, what))

    def _add(self, reason: str, bad: BadRow) -> None:
        self.counts[reason] += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(bad)


def has_undecodable(text: str) -> bool:
    """Whether a text holds a byte that its file's encoding does not know, read with errors="surrogateescape"."""
    if text.isascii():
        return False
    try:
        text.encode()  # faster than looking at each letter, and enough for nearly all texts
    except UnicodeEncodeError:
        return any("\udc80" <= letter <= "\udcff" for letter in text)
    return False
