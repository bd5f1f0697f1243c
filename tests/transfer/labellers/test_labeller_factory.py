"""Settings make the labeller that they describe."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.local_labellers import LABELS
from transfer.labellers.labeller import Answer
from transfer.labellers.labeller_factory import make_labeller
from transfer.labellers.labeller_settings import LabellerSettings


def test_settings_without_an_address_make_a_local_labeller(lm: Callable[..., Path]) -> None:
    labeller = make_labeller(LabellerSettings(model=str(lm("llama", chat=True))), LABELS, "cpu")
    answers = dict(labeller.answer(["x", "y"]))
    assert all(isinstance(answer, Answer) and answer.raw is None for answer in answers.values())
    assert sum(answers[0].probabilities or ()) == pytest.approx(1)
    assert list(labeller.answer([])) == []
