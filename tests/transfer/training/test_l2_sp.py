"""A fine-tune that is held to where it began stays nearer, and one with turns sees what each epoch is to have."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.helpers.tiny_encoders import Encoder, easy_examples
from tests.helpers.tiny_fine_tunes import RECIPE, begin, finish
from transfer.encoders.model import load_tokenizer
from transfer.training.losses import L2SP
from transfer.training.recipe import Method


def test_the_pull_is_the_gradient_of_the_squared_distance() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    anchor = L2SP([weight], 0.5)
    with torch.no_grad():
        weight.add_(torch.tensor([0.2, -0.4]))
    weight.grad = torch.tensor([1.0, 1.0])
    anchor.pull()
    assert weight.grad.tolist() == pytest.approx([1.1, 0.8])


def test_what_does_not_learn_or_has_no_gradient_is_left_alone() -> None:
    frozen, unused = torch.nn.Parameter(torch.ones(1), requires_grad=False), torch.nn.Parameter(torch.ones(1))
    anchor = L2SP([frozen, unused], 1.0)
    anchor.pull()
    assert len(anchor.held) == 1
    assert unused.grad is None


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_stronger_the_anchor_the_nearer_the_weights_stay(encoder: Encoder, method: Method) -> None:
    folder = encoder("bert")

    def distance(anchor: float) -> float:
        tuning = begin(folder, replace(RECIPE, epochs=6, anchor=anchor, method=method))
        began = {name: value.detach().clone() for name, value in tuning.model.named_parameters() if value.requires_grad}
        finish(tuning)
        moved = dict(tuning.model.named_parameters())
        return math.sqrt(sum(float((moved[name] - value).pow(2).sum()) for name, value in began.items()))

    free, held, tied = distance(0.0), distance(0.1), distance(10.0)
    assert tied < 0.7 * free
    assert tied < held < free


def test_an_epoch_has_the_rows_of_its_turn(encoder: Encoder) -> None:
    folder = encoder("bert")
    whole = easy_examples(load_tokenizer(str(folder)), 30)
    turns = (np.arange(20), np.arange(10, 30), np.array([29] * 20))
    tuning = begin(folder, replace(RECIPE, epochs=3, batch_size=6), examples=replace(whole, turns=turns))
    for turn in turns:
        rows = np.concatenate(tuning._steps(tuning.examples.tokens.lengths))
        assert sorted(rows) == sorted(turn)
        heard: list[int] = []
        tuning.run_epoch(heard.append)
        assert sum(heard) == 20
    assert tuning.is_done
    assert tuning.schedule.get_last_lr()[-1] == 0.0  # the schedule counted the turns' steps


def test_balanced_weights_count_what_the_epochs_have(encoder: Encoder) -> None:
    whole = easy_examples(load_tokenizer(str(encoder("bert"))), 30)
    turns = (np.repeat(np.flatnonzero(whole.targets[:, 0]), 2),)
    once = begin(encoder("bert"), replace(RECIPE, class_weighting="balanced"), examples=replace(whole, turns=turns))
    assert np.average(once.weights, weights=once.examples.appearances) == pytest.approx(1.0)
