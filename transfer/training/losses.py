"""Losses of a classifier against soft targets: cross-entropy, and those that are robust to wrong labels."""

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
