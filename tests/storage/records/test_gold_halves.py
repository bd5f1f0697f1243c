"""Gold is dealt to its halves once and for all."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from storage.records import gold_halves


def test_gold_never_changes_its_half(store: Engine) -> None:
    gold_halves.add_halves(store, "plan", {"a": "tune", "b": "report"})
    assert gold_halves.add_halves(store, "plan", {"a": "report", "c": "tune"}) == {
        "a": "tune",
        "b": "report",
        "c": "tune",
    }
    assert gold_halves.known_halves(store, "other") == {}
    with pytest.raises(IntegrityError):
        gold_halves.add_halves(store, "plan", {"d": "test"})


def test_ten_thousand_gold_texts_are_dealt_at_once(store: Engine) -> None:
    halves = {f"{n:016x}": "tune" if n % 2 else "report" for n in range(10_000)}
    assert gold_halves.add_halves(store, "plan", halves) == halves
