"""Scores with shared keys and values are those of reading each prompt in full."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.local_labellers import LABELS, TEXTS, TOLERANCE, labeller_of, probabilities, read_in_full
from transfer.labellers.local import label_likelihood

NAMES = {"anger": "분노", "happiness": "행복해요"}  # several tokens, next to labels of one or two


@pytest.mark.parametrize(
    ("kind", "chat", "joins"),
    [
        ("gemma3", True, False),  # layers with a sliding window that the shared beginning has long left
        ("gemma3", False, True),  # a tokenizer that joins the cue with the label
        ("llama", True, True),
        ("llama", False, False),
        ("gpt2", False, True),
        ("bloom", False, False),  # counts positions by its mask
        ("mamba", False, False),  # remembers no keys and values, so it is scored without a cache
    ],
)
def test_shortcuts_give_what_reading_each_prompt_in_full_gives(
    lm: Callable[..., Path], kind: str, chat: bool, joins: bool
) -> None:
    folder, names = lm(kind, chat=chat, joins=joins), tuple(NAMES.get(label, label) for label in LABELS)
    found = probabilities(labeller_of(folder, prompt={"names": NAMES}), TEXTS)
    plain = torch.stack([read_in_full(folder, text, names) for text in TEXTS])
    assert torch.allclose(found, plain, atol=TOLERANCE)
    assert torch.allclose(found.log(), plain.log(), atol=1e-3)
    assert found.log().std(dim=0).max() > 0.1  # the comments matter, so a mistake would show


def test_the_fixed_part_is_encoded_once(lm: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    forward = label_likelihood._forward

    def counted(model: Any, ids: torch.Tensor, last: int, **given: Any) -> torch.Tensor:
        read.append(ids.numel())
        return forward(model, ids, last, **given)

    monkeypatch.setattr(label_likelihood, "_forward", counted)
    labeller = labeller_of(lm("llama", chat=True))
    fixed = len(labeller._tokenization.shared())
    dict(labeller.answer(["a b", "c d"] * 20))
    dict(labeller.answer(["e f"] * 10))
    assert sum(read) < fixed + 50 * 60 < 50 * fixed
