"""Which products int8 leaves out."""

import pytest

from tests.helpers.engine_tokens import TEXTS, tokens_of
from transfer.engines.engine_factory import Member, open_engine
from transfer.engines.inference_engine import EngineVariant
from transfer.engines.int8_quantization import narrowing

MIXED = EngineVariant("openvino", "int8-mixed")


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
