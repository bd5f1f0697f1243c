"""Dropout whose masks cost little on a CPU, where torch samples one number at a time: a sixth of a training step."""

from functools import lru_cache

import numpy as np
import torch
from torch import nn

STEPS = 1 << 16  # 16 random bits decide about an element; each 64-bit number gives four


class FastDropout(nn.Dropout):
    """As torch's, with masks from a numpy generator, which is seeded for each mask from torch's own.

    So the masks follow from torch's random state as always: a run resumed from a checkpoint gets the same ones, and so
    does a layer that is run twice, because its activations were not kept.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`input`, each element 0 with probability p, else scaled so that its expectation stays."""
        if not self.training or self.p == 0.0 or self.p >= 1.0 or input.device.type != "cpu":
            return super().forward(input)
        return input * dropout_mask(input.shape, self.p, input.dtype)


def dropout_mask(shape: torch.Size, rate: float, dtype: torch.dtype) -> torch.Tensor:
    """A tensor of zeros, in a share of `rate` in (0, 1), and of the one factor that keeps the expectation."""
    seed = int(torch.randint(1 << 62, ()))
    n = shape.numel()
    bits = np.random.SFC64(seed).random_raw((n + 3) // 4).view(np.uint16)[:n]
    threshold, factor = _levels(rate, dtype)
    kept = np.multiply(bits >= threshold, factor, dtype=factor.dtype)
    return torch.from_numpy(kept).view(dtype).view(shape)


@lru_cache(maxsize=64)
def _levels(rate: float, dtype: torch.dtype) -> tuple[np.uint16, np.integer]:
    """The least 16-bit number for which an element is kept, and its factor's bits as an integer of the dtype's width.

    The factor is rounded to the dtype, and the share of zeros follows the factor: bfloat16 has 1.109 for 1 / 0.9, and
    9.86 % zeros go with it. A factor that does not fit its share would shift every mean in the model.
    """
    factor = torch.tensor(1 / (1 - rate), dtype=dtype)
    share = 1 - 1 / float(factor)
    width: type[np.integer] = np.int16 if dtype.itemsize == 2 else np.int32
    bits = factor.view(torch.int16 if dtype.itemsize == 2 else torch.int32)
    return np.uint16(min(round(share * STEPS), STEPS - 1)), width(int(bits))


def use_fast_dropout(model: nn.Module) -> None:
    for name, module in list(model.named_modules()):
        if type(module) is nn.Dropout:
            model.set_submodule(name, FastDropout(module.p))
