"""What was decided of bfloat16 before holds."""

from collections.abc import Iterator

import pytest
import torch

from transfer.device import bf16_choice, device


@pytest.fixture(autouse=True)
def _nothing_decided_before() -> Iterator[None]:
    bf16_choice.decide_by(None)
    yield
    bf16_choice.decide_by(None)


def test_what_was_decided_before_holds_whatever_would_be_measured_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True, "amx_bf16": True})
    monkeypatch.setattr(device, "_processor", lambda: "Xeon")
    asked: list[str] = []

    def decide(processor: str, measure: bf16_choice.Measure) -> bf16_choice.Choice:
        asked.append(processor)
        return {"bfloat16": True}

    bf16_choice.decide_by(decide)
    monkeypatch.setattr(device, "_seconds", lambda x, weights: 2.0 if x.dtype == torch.bfloat16 else 1.0)
    assert device.has_bf16("cpu")
    assert device.has_bf16("cpu")
    assert asked == ["Xeon with avx512_bf16 and amx_bf16"]
    bf16_choice.decide_by(None)
    assert not device.has_bf16("cpu")
