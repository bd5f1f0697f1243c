"""bfloat16 is taken where it is faster on this processor, not where a flag of it says so."""

import pytest
import torch

from transfer import device


@pytest.mark.parametrize(("in_bfloat16", "in_float32", "taken"), [(1.0, 2.0, True), (2.0, 1.0, False)])
def test_bfloat16_is_taken_on_a_cpu_where_a_product_is_faster_in_it(
    monkeypatch: pytest.MonkeyPatch, in_bfloat16: float, in_float32: float, taken: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    seconds = {torch.bfloat16: in_bfloat16, torch.float32: in_float32}
    monkeypatch.setattr(device, "_seconds", lambda x, weights: seconds[x.dtype])
    assert device._cpu_bf16.__wrapped__() is taken


def test_a_cpu_without_bfloat16_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    monkeypatch.delattr(device, "_seconds")
    assert device._cpu_bf16.__wrapped__() is False
