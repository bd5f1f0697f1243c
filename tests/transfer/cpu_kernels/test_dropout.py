"""Dropout masks by numpy."""

import pytest
import torch

from tests.helpers.few_word_training import RECIPE, few_words, learn, load
from tests.helpers.tiny_encoders import Encoder
from transfer.cpu_kernels.dropout import FastDropout, dropout_mask
from transfer.training.finetune import FineTuning


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 0.5])
def test_masks_have_their_share_of_zeros_and_keep_the_mean(dtype: torch.dtype, rate: float) -> None:
    torch.manual_seed(3)
    drawn = dropout_mask(torch.Size((1001, 999)), rate, dtype)
    assert drawn.dtype == dtype
    assert float((drawn == 0).float().mean()) == pytest.approx(rate, abs=0.004)
    assert float(drawn.double().mean()) == pytest.approx(1.0, abs=0.003)
    assert len(torch.unique(drawn)) == 2
    by_row = drawn.double().mean(dim=1)  # rows of independent elements spread as much as a binomial's
    assert float(by_row.std()) == pytest.approx((rate / (1 - rate) / 999) ** 0.5, rel=0.1)


def test_masks_follow_from_the_random_state_of_torch_and_differ(encoder: Encoder) -> None:
    layer, ones = FastDropout(0.5), torch.ones(64, 64)
    torch.manual_seed(1)
    first, second = layer(ones), layer(ones)
    torch.manual_seed(1)
    assert torch.equal(layer(ones), first)
    assert not torch.equal(first, second)
    assert torch.equal(layer.eval()(ones), ones)


def test_gradient_checkpointing_gets_the_same_masks_again(encoder: Encoder) -> None:
    weights = []
    for recomputes in (False, True):
        tuning = FineTuning(load(encoder("bert"), 0.3), few_words(encoder("bert")), RECIPE, 1)
        if recomputes:
            model = tuning.model  # transformers has called it so since 5.21
            enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            enable({"use_reentrant": False})
        weights.append(learn(tuning).state_dict())
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-5, atol=1e-6)
