"""bfloat16 is taken where it is faster on this processor, not where a flag of it says so."""

import types
from collections.abc import Iterator

import pytest
import torch

from transfer.device import bf16_choice, device


@pytest.fixture(autouse=True)
def _nothing_decided_before() -> Iterator[None]:
    bf16_choice.decide_by(None)
    yield
    bf16_choice.decide_by(None)


@pytest.mark.parametrize(("in_bfloat16", "in_float32", "taken"), [(1.0, 2.0, True), (2.0, 1.0, False)])
def test_bfloat16_is_taken_on_a_cpu_where_a_product_is_faster_in_it(
    monkeypatch: pytest.MonkeyPatch, in_bfloat16: float, in_float32: float, taken: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    seconds = {torch.bfloat16: in_bfloat16, torch.float32: in_float32}
    monkeypatch.setattr(device, "_seconds", lambda x, weights: seconds[x.dtype])
    assert device._cpu_bf16() is taken


def test_a_cpu_without_bfloat16_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    monkeypatch.delattr(device, "_seconds")
    assert device._cpu_bf16() is False


@pytest.mark.parametrize(("gibibytes", "tokens"), [(6, 4096), (23.6, 4096), (47.5, 8192), (79.1, 16384), (139, 16384)])
def test_a_larger_gpu_takes_more_tokens_at_a_time(
    monkeypatch: pytest.MonkeyPatch, gibibytes: float, tokens: int
) -> None:
    monkeypatch.setattr(device, "device_name", lambda: "cuda")
    card = types.SimpleNamespace(total_memory=int(gibibytes * 2**30))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: card)
    assert device.token_budget() == tokens


@pytest.mark.parametrize("name", ["cpu", "mps"])
def test_another_device_takes_what_fills_two_cores(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(device, "device_name", lambda: name)
    assert device.token_budget() == device.TOKEN_BUDGET
