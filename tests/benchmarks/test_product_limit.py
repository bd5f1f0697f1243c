"""The bound that inference is held against counts the products that a model has."""

from types import SimpleNamespace

import pytest
import torch
from transformers import BertConfig, BertModel

from benchmarks.product_limit import ROWS, limit, time_products, token_flops, weight_products

SMALL = SimpleNamespace(hidden_size=8, intermediate_size=32, num_hidden_layers=3)


def test_each_of_the_layers_weights_is_counted_once() -> None:
    given = {name: getattr(SMALL, name) for name in vars(SMALL)}
    model = BertModel(BertConfig(**given, num_attention_heads=2, vocab_size=20), add_pooling_layer=False)
    weights = [m.weight.numel() for m in model.encoder.modules() if isinstance(m, torch.nn.Linear)]
    assert token_flops(SMALL) == 2 * sum(weights)
    assert sum(weight_products(SMALL).values()) == len(weights)


def test_the_limit_is_what_all_products_of_a_text_take() -> None:
    took = {(8, 8): [0.2, 0.1, 0.3], (8, 32): [0.4] * 3, (32, 8): [0.6, 0.4, 0.8]}  # seconds of ROWS tokens
    found = limit(SMALL, 10.0, took)
    assert found["texts_per_processor_second_median"] == pytest.approx(ROWS / 10 / (12 * 0.2 + 3 * 0.4 + 3 * 0.6), 0.01)
    assert found["texts_per_processor_second_best"] == pytest.approx(ROWS / 10 / (12 * 0.1 + 3 * 0.4 + 3 * 0.4), 0.01)


def test_timing_leaves_the_threads_as_they_were() -> None:
    before = torch.get_num_threads()
    took = time_products(SMALL)
    assert set(took) == set(weight_products(SMALL))
    assert all(seconds > 0 for timings in took.values() for seconds in timings)
    assert torch.get_num_threads() == before
