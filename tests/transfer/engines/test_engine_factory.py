"""Variants are opened and give float32's probabilities."""

import numpy as np
import pytest

from tests.helpers.engine_tokens import TEXTS, tokens_of
from tests.helpers.tiny_encoders import LABELS, LONGEST
from transfer.engines import engine_factory
from transfer.engines.convert import is_installed
from transfer.engines.engine_benchmark import REFERENCE
from transfer.engines.engine_factory import Member, available_variants, open_engine
from transfer.engines.inference_engine import EngineVariant
from transfer.errors import UserError


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
