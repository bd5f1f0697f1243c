"""The fastest variant that agrees with float32 is selected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.engine_tokens import TEXTS, tokens_of
from transfer.encoders.tokenization import Tokens
from transfer.engines.engine_benchmark import REFERENCE, Measurement, compare, fastest
from transfer.engines.engine_factory import Member
from transfer.engines.inference_engine import Engine, EngineVariant
from transfer.errors import UserError

MIXED = EngineVariant("openvino", "int8-mixed")

Floats = NDArray[np.float32]


class Said:
    """An engine that says what it is told to, in its own time."""

    def __init__(self, found: Floats, clock: list[float], seconds: float) -> None:
        self.found, self.clock, self.seconds = found, clock, seconds

    def classify(self, tokens: Tokens, on_batch: Callable[[int], None] = lambda texts: None) -> Floats:
        self.clock[0] += self.seconds * len(tokens)
        return self.found[: len(tokens)]


def with_labels(labels: NDArray[np.int64]) -> Floats:
    return np.asarray(np.eye(2)[labels] * 0.8 + 0.1, np.float32)


@pytest.fixture
def choosing(monkeypatch: pytest.MonkeyPatch, member: Member) -> Callable[..., tuple[EngineVariant, list[Measurement]]]:
    """fastest() of ways that are given as {way: (labels, seconds a text)}; the reference says 600 × 0, 400 × 1."""
    clock = [0.0]
    monkeypatch.setattr("transfer.engines.engine_benchmark.time.perf_counter", lambda: clock[0])
    tokens = tokens_of(member, TEXTS[:1]).take(np.zeros(1000, np.int64))
    truth = np.repeat([0, 1], [600, 400])

    def choose(ways: dict[EngineVariant, tuple[Any, float] | str]) -> tuple[EngineVariant, list[Measurement]]:
        def open_way(way: EngineVariant) -> Engine:
            told = ways.get(way, (truth, 1.0))
            if isinstance(told, str):
                raise RuntimeError(told)
            return Said(with_labels(told[0]), clock, told[1])  # type: ignore[return-value]

        return fastest([REFERENCE, *ways], open_way, tokens, lambda text: None)

    return choose


def changed(n: int, way_back: int = 0) -> NDArray[np.int64]:
    labels = np.repeat([0, 1], [600, 400])
    labels[:n] = 1
    labels[600 : 600 + way_back] = 0
    return labels


BF16, INT8 = EngineVariant("torch", "bfloat16"), EngineVariant("openvino", "int8")


def test_the_fastest_that_agrees_is_taken(choosing: Callable[..., tuple[EngineVariant, list[Measurement]]]) -> None:
    way, measured = choosing({BF16: (changed(1, 1), 0.5), INT8: (changed(6, 5), 0.1)})
    assert way == BF16  # int8 has 98.9 % of the labels
    assert [found.agrees for found in measured] == [True, True, False]
    assert measured[2].agreement == pytest.approx(0.989)
    assert measured[1].texts_per_second == pytest.approx(2.0)


def test_a_shift_of_shares_is_refused_though_the_labels_agree(
    choosing: Callable[..., tuple[EngineVariant, list[Measurement]]],
) -> None:
    way, measured = choosing({INT8: (changed(4, 1), 0.1)})
    assert measured[1].agreement == 0.995
    assert measured[1].shift == pytest.approx(0.003)
    assert way == REFERENCE


@pytest.mark.parametrize(("wrong", "tried", "taken"), [(6, True, MIXED), (2, False, INT8)])
def test_less_of_int8_is_tried_only_where_int8_does_not_agree(
    choosing: Callable[..., tuple[EngineVariant, list[Measurement]]], wrong: int, tried: bool, taken: EngineVariant
) -> None:
    way, measured = choosing({INT8: (changed(wrong, wrong // 2), 0.1), MIXED: (changed(0), 0.2)})
    assert way == taken
    assert (MIXED in [found.way for found in measured]) == tried


def test_an_engine_that_fails_is_passed_over(choosing: Callable[..., tuple[EngineVariant, list[Measurement]]]) -> None:
    way, measured = choosing({INT8: "no such operator\nat line 7", BF16: (changed(0), 0.5)})
    assert way == BF16
    assert str(measured[1]) == "openvino int8: no such operator"


def test_a_way_is_not_judged_by_a_moment_when_another_program_had_the_machine(
    monkeypatch: pytest.MonkeyPatch, member: Member
) -> None:
    clock = [0.0]
    monkeypatch.setattr("transfer.engines.engine_benchmark.time.perf_counter", lambda: clock[0])
    tokens = tokens_of(member, TEXTS[:1]).take(np.zeros(1000, np.int64))

    class Disturbed(Said):
        """Takes a hundred times as long for all of the texts, and only then."""

        def classify(self, tokens: Tokens, on_batch: Callable[[int], None] = lambda texts: None) -> Floats:
            clock[0] += self.seconds * len(tokens) * (99 if len(tokens) == 1000 else 0)
            return super().classify(tokens, on_batch)

    def open_way(way: EngineVariant) -> Engine:
        kind, seconds = (Disturbed, 0.5) if way == BF16 else (Said, 1.0)
        return kind(with_labels(changed(0)), clock, seconds)  # type: ignore[return-value]

    way, measured = fastest([REFERENCE, BF16], open_way, tokens, lambda text: None)
    assert way == BF16
    assert [found.texts_per_second for found in measured] == pytest.approx([1.0, 2.0])


def test_where_nothing_agrees_the_figures_are_told(member: Member) -> None:
    tokens = tokens_of(member, TEXTS[:1]).take(np.zeros(1000, np.int64))

    def open_way(way: EngineVariant) -> Engine:
        labels = changed(50) if way == INT8 else changed(0)
        return Said(with_labels(labels), [0.0], 0.0)  # type: ignore[return-value]

    with pytest.raises(UserError, match=r"95\.0% of float32's labels, shares off by 5\.00%"):
        fastest([INT8], open_way, tokens, lambda text: None)


def test_compare_sees_means_that_no_label_shows() -> None:
    reference = np.full((100, 2), 0.5, np.float32) + np.array([0.1, -0.1], np.float32)
    found = np.full((100, 2), 0.5, np.float32) + np.array([0.2, -0.2], np.float32)
    agreement, shift = compare(found, reference)
    assert agreement == 1.0
    assert shift == pytest.approx(0.1, abs=1e-6)
