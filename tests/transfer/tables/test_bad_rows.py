"""Rows that cannot be read are counted, and listed by place."""

import pytest

from transfer.tables import bad_rows
from transfer.tables.bad_rows import BadRow, BadRows, has_undecodable


def test_rows_and_files_are_counted_and_only_the_first_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad_rows, "MOST_LISTED", 2)
    found = BadRows()
    found.row("a.csv", 3, "no JSON")
    found.file("b.csv", "it is empty")
    found.row("a.csv", 9, "no JSON")
    assert found.counts == {"broken row": 2, "broken file": 1}
    assert found.listed == [BadRow("a.csv", 3, "no JSON"), BadRow("b.csv", None, "it is empty")]


def test_a_byte_that_the_encoding_does_not_know_is_seen_and_other_letters_are_not() -> None:
    assert has_undecodable(b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert not has_undecodable("plain")
    assert not has_undecodable("기쁨 😀")
    assert not has_undecodable("half an emoji \ud83d")  # a lone surrogate of another kind: JSON may hold one
