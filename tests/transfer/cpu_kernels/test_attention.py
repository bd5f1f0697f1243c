"""Attention by plain products gives what torch's own gives."""

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from transfer.cpu_kernels.attention import attention


@pytest.mark.parametrize("kind", ["none", "bool", "added"])
def test_it_is_torchs_attention_with_every_kind_of_mask(kind: str) -> None:
    torch.manual_seed(3)
    query, key, value = (torch.randn(2, 3, 5, 4) for _ in range(3))  # (B, H, T, D)
    seen = torch.ones(2, 1, 5, 5, dtype=torch.bool)
    seen[1, :, :, 3:] = False
    added = torch.zeros(2, 1, 5, 5).masked_fill(~seen, torch.finfo(torch.float32).min)
    mask = {"none": None, "bool": seen, "added": added}[kind]
    found, weights = attention(nn.Module(), query, key, value, mask)
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    assert found.shape == (2, 5, 3, 4)
    assert torch.allclose(found, expected, atol=1e-6)
    assert weights is None


def test_a_scaling_that_is_given_is_used() -> None:
    torch.manual_seed(3)
    query, key, value = (torch.randn(1, 1, 3, 4) for _ in range(3))
    found, _ = attention(nn.Module(), query, key, value, None, scaling=0.1)
    expected = scaled_dot_product_attention(query, key, value, scale=0.1).transpose(1, 2)
    assert torch.allclose(found, expected, atol=1e-6)
