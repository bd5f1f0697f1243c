"""Texts that a core could classify if it computed only the model's products with its weights.

    python -m benchmarks.product_limit MODEL [--tokens 22] [--rounds 10]

MODEL: a folder with an encoder's config. Each different product of a layer, weights (N, K) by states (2048, K), is
timed on one thread, as torch computes it, in bfloat16 if that is faster here, else in float32; a text needs its
share of each. The result is an upper bound for any engine in that format on this machine: no attention, no
normalisation, no activation, no padding, no reading. int8 can be faster than this bound.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from transfer.device.device import has_bf16

ROWS = 2048  # tokens in a batch, as the engines have them
REPEATS = 5

Shape = tuple[int, int]  # in and out


def weight_products(config: Any) -> Counter[Shape]:
    """How often a token is multiplied by weights of each shape, in an encoder of BERT's build."""
    d, i, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    return Counter({(d, d): 4 * layers, (d, i): layers, (i, d): layers})


def token_flops(config: Any) -> int:
    """Operations for one token: two for each weight."""
    return sum(2 * k * n * times for (k, n), times in weight_products(config).items())


def time_products(config: Any) -> dict[Shape, list[float]]:
    """Processor seconds of REPEATS products of each shape with ROWS tokens, on this thread only."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {shape: _time(*shape) for shape in weight_products(config)}
    finally:
        torch.set_num_threads(threads)


def _time(k: int, n: int) -> list[float]:
    dtype = torch.bfloat16 if has_bf16("cpu") else torch.float32
    states, weights = torch.ones(ROWS, k, dtype=dtype), torch.ones(n, k, dtype=dtype)
    torch.nn.functional.linear(states, weights)
    took = []
    for _ in range(REPEATS):
        began = time.thread_time()
        torch.nn.functional.linear(states, weights)
        took.append(time.thread_time() - began)
    return took


def limit(config: Any, tokens_a_text: float, took: Mapping[Shape, list[float]]) -> dict[str, float]:
    """Texts a processor second, and 10^9 operations a second, by the median and by the best of all timings."""
    told = {}
    for name, pick in (("median", statistics.median), ("best", min)):
        a_token = sum(times * pick(took[shape]) / ROWS for shape, times in weight_products(config).items())
        told[f"texts_per_processor_second_{name}"] = round(1 / (a_token * tokens_a_text), 1)
        told[f"gflops_{name}"] = round(token_flops(config) / a_token / 1e9, 1)
    return told


def main() -> None:
    """The program."""
    from transformers import AutoConfig

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=float, default=22.0, help="of a text, on average")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    config = AutoConfig.from_pretrained(given.model)
    took: dict[Shape, list[float]] = {}
    for _ in range(given.rounds):
        for shape, seconds in time_products(config).items():
            took.setdefault(shape, []).extend(seconds)
    print(json.dumps(limit(config, given.tokens, took)))


if __name__ == "__main__":
    main()
