"""The last layer for the first token alone."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.few_word_training import load
from tests.helpers.tiny_encoders import Encoder, easy_examples
from transfer.cpu_kernels.apply import apply_cpu_kernels
from transfer.encoders.model import load_tokenizer
from transfer.engines.torch_engine import probabilities_of


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_the_last_layer_works_for_the_first_token_alone(encoder: Encoder, kind: str) -> None:
    plain, quick = load(encoder(kind)), load(encoder(kind))
    apply_cpu_kernels(quick, "cpu")
    seen: list[torch.Size] = []
    base: Any = quick.base_model
    base.encoder.layer[-1].register_forward_hook(lambda module, given, out: seen.append(out.shape))
    tokens = easy_examples(load_tokenizer(str(encoder(kind)))).tokens
    np.testing.assert_allclose(probabilities_of(quick, tokens), probabilities_of(plain, tokens), atol=1e-6)
    assert seen == [torch.Size((len(tokens), 1, 32))]
