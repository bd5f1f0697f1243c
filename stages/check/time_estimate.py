"""Roughly how long each stage of a plan takes on this machine."""

import time
from collections.abc import Sequence

import numpy as np

from stages.plan.plan_settings import FurtherSettings, SearchSettings
from stages.plan.schema import Plan
from stages.results.check_result import CheckedEncoder
from stages.runtime.stage_order import stages_of
from transfer.device.device import device_name, has_bf16

BACKWARD = 3  # a training step costs a forward pass and a backward one twice as dear
REACHED = 0.3  # of the speed of a large matrix product
EPOCHS = 3.5  # the middle of the default space
CONTROLS = 2  # fine-tunes that stage two is compared with
TOKENS_A_CHARACTER = 0.4  # between Korean word pieces (0.6) and English ones (0.25)
MOST_CHARACTERS = 200  # of a text that count, as most encoders read no more tokens than these have


def seconds_by_stage(
    plan: Plan, train: Sequence[str], share: float, encoders: Sequence[CheckedEncoder], comments: int
) -> dict[str, float]:
    """In seconds, two digits; the labeller's part is not guessed.

    train: texts of the original training data, at least one. share: of them that trials of the search train on, in
    (0, 1]. encoders: of the candidates, at least one. comments: distinct texts to classify.
    Operations of a forward pass, 2 a parameter and token (Kaplan et al., 2020, table 1), over the speed of a matrix
    product measured now, of which a small batch reaches about a third.
    """
    speed = _matrix_speed() * REACHED
    tokens = TOKENS_A_CHARACTER * float(np.mean([min(len(text), MOST_CHARACTERS) for text in train])) + 2
    epoch = len(train) * tokens * 2 * BACKWARD / speed
    typical = float(np.mean([encoder.per_token for encoder in encoders]))
    fits = full_fits(plan.search, share)
    seconds = {"search": sum(epoch * encoder.per_token * EPOCHS * fits for encoder in encoders)}
    if "further" in stages_of(plan):
        seconds["further"] = epoch * typical * EPOCHS * (full_fits(plan.further, 1.0) + CONTROLS)
    if "infer" in stages_of(plan):
        models = plan.ensemble.top if plan.final == "ensemble" else 1
        seconds["infer"] = comments * tokens * 2 * typical / speed * models
    return {stage: float(f"{value:.2g}") for stage, value in seconds.items()}


def full_fits(settings: SearchSettings | FurtherSettings, share: float) -> float:
    """Fine-tunes on all training rows that a study and what follows cost. share: of the rows that its trials train on,
    in (0, 1]."""
    again = settings.refits.top * settings.refits.seeds if settings.refits else 0
    subset = settings.subset if isinstance(settings, SearchSettings) else None
    return settings.seeds * (settings.trials * share + (subset.refit + 1 if subset else 0) + again)


def _matrix_speed() -> float:
    """Operations a second of a matrix product in the data type that training would use."""
    import torch

    device = device_name()
    dtype = torch.bfloat16 if has_bf16(device) else torch.float32
    square = torch.randn(1024, 1024, device=device).to(dtype)
    (square @ square).sum().item()
    began = time.perf_counter()
    for _ in range(5):
        product = square @ square
    product.sum().item()
    return 5 * 2 * 1024**3 / (time.perf_counter() - began)
