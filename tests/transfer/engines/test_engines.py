"""Every engine gives float32 torch's probabilities; what does not is found out and not taken."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.tiny_encoders import LABELS, LONGEST, easy_texts
from tests.transfer.conftest import Encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import Tokens, encode
from transfer.engines import engine_factory
from transfer.engines.convert import is_installed
from transfer.engines.engine_benchmark import REFERENCE, Measurement, compare, fastest
from transfer.engines.engine_factory import Member, available_variants, open_engine
from transfer.engines.inference_engine import Engine, EngineVariant, probabilities_from
from transfer.engines.int8_quantization import narrowing
from transfer.errors import UserError

TEXTS = [*easy_texts(300, 3)[0], "hm", "happy " * 100]
Floats = NDArray[np.float32]


@pytest.fixture
def member(encoder: Encoder, tmp_path: Path) -> Member:
    source = encoder("bert")
    load_classifier(source, LABELS, seed=1).save_pretrained(tmp_path / "kept")
    load_tokenizer(str(source)).save_pretrained(tmp_path / "kept")
    return Member(tmp_path / "kept", 0, tmp_path / "made")


def tokens_of(member: Member, texts: Sequence[str] = TEXTS) -> Tokens:
    return encode(texts, load_tokenizer(str(member.folder)), LONGEST)


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in available_variants() if way != REFERENCE], ids=str)
def test_an_engine_gives_float32s_probabilities_in_the_order_of_the_texts(member: Member, way: EngineVariant) -> None:
    tokens = tokens_of(member)
    expected = open_engine(REFERENCE, member).classify(tokens)
    engine = open_engine(way, member, lambda: tokens_of(member, TEXTS[:50]))
    heard: list[int] = []
    found = engine.classify(tokens, heard.append)
    assert (engine.name, engine.precision, engine.max_length) == (way.engine, way.precision, LONGEST)
    assert sum(heard) == len(TEXTS)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=2e-5 if way.precision == "float32" else 0.05)
    # each text has its own; in another order there is no correlation, and 8 bits of a layer of 32 units are few
    assert np.corrcoef(found[:, 0], expected[:, 0])[0, 1] > (0.9 if way.is_int8 else 0.99)
    again = engine.classify(tokens)
    np.testing.assert_array_equal(found, again)
    assert engine.classify(tokens_of(member, [])).shape == (0, len(LABELS))


@pytest.mark.slow
def test_what_was_quantised_is_opened_without_texts(member: Member) -> None:
    if not is_installed("onnx"):
        pytest.skip("the extra onnx is not installed")
    way, tokens = EngineVariant("onnx", "int8"), tokens_of(member, TEXTS[:20])
    first = open_engine(way, member, lambda: tokens).classify(tokens)
    np.testing.assert_array_equal(open_engine(way, member).classify(tokens), first)


def test_ways_need_their_extras(monkeypatch: pytest.MonkeyPatch, member: Member) -> None:
    monkeypatch.setattr(engine_factory, "is_installed", lambda form: False)
    assert {way.engine for way in available_variants()} == {"torch"}
    monkeypatch.setattr("transfer.engines.convert.find_spec", lambda module: None)
    with pytest.raises(UserError, match=r"moodline\[onnx\]"):
        open_engine(EngineVariant("onnx", "float32"), member)


def test_on_a_gpu_torch_is_tried_in_bfloat16_and_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.device.device.device_name", lambda: "cuda")
    for knows, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr("transfer.device.device.has_bf16", lambda device, knows=knows: knows)
        ways = available_variants()
        assert ways[0] == REFERENCE
        assert [way.compiled for way in ways] == [False] * (len(ways) - 1) + [True]
        assert ways[-1].precision == precision
        assert {way.engine for way in ways} == {"torch"}


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


MIXED = EngineVariant("openvino", "int8-mixed")


@pytest.mark.parametrize(("wrong", "tried", "taken"), [(6, True, MIXED), (2, False, INT8)])
def test_less_of_int8_is_tried_only_where_int8_does_not_agree(
    choosing: Callable[..., tuple[EngineVariant, list[Measurement]]], wrong: int, tried: bool, taken: EngineVariant
) -> None:
    way, measured = choosing({INT8: (changed(wrong, wrong // 2), 0.1), MIXED: (changed(0), 0.2)})
    assert way == taken
    assert (MIXED in [found.way for found in measured]) == tried


@pytest.mark.slow
def test_in_mixed_int8_the_products_that_narrow_stay_as_they_are(member: Member) -> None:
    openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")
    open_engine(MIXED, member, lambda: tokens_of(member, TEXTS[:50]))
    [whole, mixed] = [
        openvino.Core().read_model(member.made / "openvino" / f"openvino_model{kind}.xml")
        for kind in ("", "-int8-mixed")
    ]
    left = narrowing(whole)
    assert [name for name in left if "classifier" in name], left
    assert all("classifier" in name or ("output.dense" in name and "attention" not in name) for name in left)
    kinds = {
        op.get_friendly_name(): op.input_value(0).get_node().get_type_name()
        for op in mixed.get_ops()
        if op.get_type_name() == "MatMul"
    }
    rounded = {name for name, kind in kinds.items() if kind == "FakeQuantize"}
    assert rounded
    assert not rounded & {*left}


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


def test_softmax_of_large_logits() -> None:
    np.testing.assert_allclose(
        probabilities_from(np.array([[1000.0, 1000.0], [-1000.0, 0.0]])), [[0.5, 0.5], [0.0, 1.0]]
    )
