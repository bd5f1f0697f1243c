"""A tiny language model with an adapter."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from transfer.labellers.labeller_settings import LabellerSettings, TuningSettings
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.labellers.local.peft_adapter import Attached, new_adapter

LABELS = ("anger", "sadness", "happiness")


TEXTS = ["what a lovely day", "", "이 영화 정말 최고예요 " * 4, "so bad " * 12, "x"]


MakeLm = Callable[[str], Path]


def labeller_of(folder: Path, **given: object) -> LocalLabeller:
    short = {"prompt": {"instruction": "Judge."}}
    settings = LabellerSettings.model_validate({"model": str(folder), "dtype": "float32", **short, **given})
    return LocalLabeller(settings, LABELS, "cpu")


def probabilities(labeller: LocalLabeller, texts: Sequence[str]) -> torch.Tensor:
    found = dict(labeller.answer(texts))
    return torch.tensor([found[i].probabilities for i in range(len(texts))], dtype=torch.float64)


def with_adapter(labeller: LocalLabeller, kind: str) -> Attached:
    """An adapter that has learnt something: random numbers."""
    torch.manual_seed(1)
    task = labeller.task(["x"])
    settings = TuningSettings.model_validate({"kind": kind, "virtual_tokens": 5})
    attached = new_adapter(labeller.model, settings, task.words, labeller.settings.model or "")
    with torch.no_grad():
        for value in attached.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return attached
