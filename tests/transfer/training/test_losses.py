"""Losses are those of their papers, and forgive wrong labels as these say."""

import math

import pytest
import torch

from transfer.training.losses import LOG_OF_ZERO, TRUST, losses

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 3.0]])
HARD = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
SOFT = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
P = torch.softmax(LOGITS, dim=-1)


@pytest.mark.parametrize("targets", [HARD, SOFT], ids=["hard", "soft"])
def test_cross_entropy_is_torchs(targets: torch.Tensor) -> None:
    expected = torch.nn.functional.cross_entropy(LOGITS, targets, reduction="none")
    assert torch.allclose(losses(LOGITS, targets, "cross_entropy", 0.7), expected)


def test_generalised_is_mean_absolute_error_at_one_and_cross_entropy_near_zero() -> None:
    absolute = (HARD - P).abs().sum(dim=-1) / 2
    assert torch.allclose(losses(LOGITS, HARD, "generalised", 1.0), absolute, atol=1e-6)
    assert torch.allclose(
        losses(LOGITS, SOFT, "generalised", 1e-4), losses(LOGITS, SOFT, "cross_entropy", 0.7), rtol=1e-3
    )


def test_symmetric_adds_what_the_model_believes_and_the_label_denies() -> None:
    reverse = -LOG_OF_ZERO * (1 - (P * HARD).sum(dim=-1))
    expected = losses(LOGITS, HARD, "cross_entropy", 0.7) + reverse
    assert torch.allclose(losses(LOGITS, HARD, "symmetric", 0.7), expected)


def test_bootstrap_takes_a_part_of_the_target_from_the_model() -> None:
    expected = -((TRUST * SOFT + (1 - TRUST) * P) * P.log()).sum(dim=-1)
    assert torch.allclose(losses(LOGITS, SOFT, "bootstrap", 0.7), expected)


@pytest.mark.parametrize("name", ["generalised", "symmetric"])
def test_a_label_that_the_model_is_sure_is_wrong_pulls_less_than_under_cross_entropy(name: str) -> None:
    """As a part of what a doubtful right label pulls: that is what makes these losses robust."""

    def pull(kind: str, confidence: float) -> float:
        logits = torch.tensor([[math.log((1 - confidence) / confidence), 0.0]], requires_grad=True)
        losses(logits, torch.tensor([[1.0, 0.0]]), kind, 0.7).sum().backward()  # type: ignore[arg-type, no-untyped-call]
        assert logits.grad is not None
        return float(logits.grad[0, 0].abs())

    assert pull(name, 0.999) / pull(name, 0.5) < 0.97 * pull("cross_entropy", 0.999) / pull("cross_entropy", 0.5)


@pytest.mark.parametrize("name", ["cross_entropy", "generalised", "symmetric", "bootstrap"])
def test_probabilities_of_zero_leave_loss_and_gradient_finite(name: str) -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = losses(logits, torch.tensor([[0.0, 1.0]]), name, 0.7).sum()  # type: ignore[arg-type]
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert math.isfinite(float(loss))
    assert torch.isfinite(logits.grad).all()
