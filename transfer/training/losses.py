"""What a fine-tune minimises: a loss against soft targets, and a pull back to the weights that it began with."""

from collections.abc import Iterable
from typing import Literal

import torch

LossName = Literal["cross_entropy", "generalised", "symmetric", "bootstrap"]
# Wang et al. call the logarithm of 0 in the reverse term A; any finite number below that of a small share does.
LOG_OF_ZERO = -4.0
# Reed et al.'s for soft bootstrapping: so much of the target is the label's, the rest is the model's own opinion.
TRUST = 0.95


def losses(logits: torch.Tensor, targets: torch.Tensor, name: LossName, q: float) -> torch.Tensor:
    """(B,) loss of each row, at least 0. logits: (B, K) float32, any scale. targets: (B, K), rows sum to 1.

    p are the probabilities of the logits, t the targets.
    cross_entropy: -Σ t log p.
    generalised: Σ t (1 - p^q) / q, between cross-entropy (q → 0) and mean absolute error (q = 1); Zhang and Sabuncu,
    Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels (2018), equation 6.
    symmetric: cross-entropy and its reverse -Σ p log t with equal weights, log t at least LOG_OF_ZERO; Wang et al.,
    Symmetric Cross Entropy for Robust Learning with Noisy Labels (2019), section 3.
    bootstrap: -Σ (TRUST · t + (1 - TRUST) · p) log p; Reed et al., Training Deep Neural Networks on Noisy Labels with
    Bootstrapping (2015), section 3.2.
    q: in (0, 1], read by generalised alone.
    """
    logs = torch.log_softmax(logits, dim=-1)  # (B, K)
    if name == "generalised":
        return (targets * (1 - (q * logs).exp()) / q).sum(dim=-1)
    if name == "symmetric":
        reverse = -(logs.exp() * targets.log().clamp(min=LOG_OF_ZERO)).sum(dim=-1)
        return reverse - (targets * logs).sum(dim=-1)
    if name == "bootstrap":
        targets = TRUST * targets + (1 - TRUST) * logs.exp()
    return -(targets * logs).sum(dim=-1)


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
