"""A pull back to the initial weights, so that a further fine-tune keeps what the first one learnt."""

from collections.abc import Iterable

import torch


class L2SP:
    """Adds the gradient of strength / 2 · ‖w - w⁰‖² to that of the loss, w⁰ being the weights when it was made.

    L2-SP with the starting point for all weights, the head's too, since that was learnt before as well: Li et al.,
    Explicit Inductive Bias for Transfer Learning with Convolutional Networks (2018), equation 3. It holds a copy of
    the weights that learn. With adapters these are the adapters, which begin as no change at all.
    Nothing of it is saved: a resumed run begins with the same weights.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], strength: float) -> None:
        self.strength = strength
        self.held = [(value, value.detach().clone()) for value in parameters if value.requires_grad]

    def pull(self) -> None:
        """Adds to the gradients that there are; a parameter without one was not in use, and keeps its value."""
        for value, start in self.held:
            if value.grad is not None:
                value.grad.add_(value.detach() - start, alpha=self.strength)
