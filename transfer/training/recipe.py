"""What a fine-tune is given: the recipe, and the examples with their weights."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.lora import LoraTargets
from transfer.encoders.tokenization import Indices, Tokens
from transfer.training.losses import LossName

ClassWeighting = Literal["none", "balanced"]
Method = Literal["full", "lora"]
MOST_CLASS_WEIGHT = 100.0  # so that the only row of a rare label does not drown all the others in its batch


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a fine-tune, which a search varies.

    learning_rate: of the head, and of all layers where layer_decay is 1. batch_size: examples per optimiser step.
    warmup_share: share of the steps with a rising rate; then it falls linearly to 0. label_smoothing: share of the
    target's mass spread over all labels. class_weighting: "balanced" gives every label the same weight in all,
    however rare it is. max_length: tokens. frozen_layers: how many stay as pretrained, from the bottom, the embeddings
    counting as the first; the head always trains. layer_decay: each layer's rate as a factor of that above it (Clark
    et al., ELECTRA, 2020). method: "full" trains the layers' weights themselves, "lora" small adapters beside them
    (see encoders/lora.py); the head trains in full either way, frozen layers get no adapters, layer_decay holds for the
    adapters' rates. Adapters want rates some ten times higher (Biderman et al., LoRA Learns Less and Forgets Less,
    2024). loss: see losses.py; loss_q belongs to "generalised". anchor: how strongly the weights are pulled back to
    the initial ones (see losses.py); 0 for not at all.
    """

    learning_rate: float = 3e-5
    batch_size: int = 32
    epochs: int = 3
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    dropout: float = 0.1
    label_smoothing: float = 0.0
    class_weighting: ClassWeighting = "none"
    max_length: int = 128
    frozen_layers: int = 0
    layer_decay: float = 1.0
    method: Method = "full"
    lora_rank: int = 8
    lora_targets: LoraTargets = "all"
    loss: LossName = "cross_entropy"
    loss_q: float = 0.7
    anchor: float = 0.0


@dataclass(frozen=True)
class Examples:
    """What a model is trained on: N texts and for each a distribution over K labels.

    targets: (N, K) float32, rows sum to 1; one-hot for a human's label. weights: (N,) float32, non-negative, any scale.
    turns: the rows of each epoch, cyclically, all of one length, with repetitions; none: every epoch has all rows.
    temperatures: (N,) float32, positive, by which the model's logits are divided before they are compared; None for 1.
    """

    tokens: Tokens
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    turns: tuple[Indices, ...] = ()
    temperatures: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def per_epoch(self) -> int:
        return len(self.turns[0]) if self.turns else len(self)

    def rows(self, epoch: int) -> Indices:
        """(per_epoch,) the rows of an epoch, counted from 0."""
        return self.turns[epoch % len(self.turns)] if self.turns else np.arange(len(self))

    @property
    def appearances(self) -> NDArray[np.float64]:
        """(N,) how often an epoch has each row, on average."""
        if not self.turns:
            return np.ones(len(self))
        return np.bincount(np.concatenate(self.turns), minlength=len(self)) / len(self.turns)


def one_hot(labels: NDArray[np.int64], n_labels: int) -> NDArray[np.float32]:
    """(N, n_labels) float32 of labels (N,)."""
    return np.eye(n_labels, dtype=np.float32)[labels]


def example_weights(examples: Examples, weighting: ClassWeighting) -> NDArray[np.float32]:
    """(N,) float32, mean 1: how much each example's loss counts, its own weight times that of its label.

    A label's weight falls on the examples that have it and not on the label's term of each loss: there it would
    raise the mass that smoothing gives to rare labels above the truth of frequent ones. A soft target weighs what its
    labels weigh on average. The mean is taken over all that an epoch has, not over a batch: batches are of like
    lengths, and with them of like sources, so that weights between the sources would cancel out.
    """
    weights = examples.weights.astype(np.float64)
    if weighting == "balanced":
        weights *= examples.targets @ class_weights(examples)
    weights /= np.average(weights, weights=examples.appearances)
    return weights.astype(np.float32)


def class_weights(examples: Examples) -> NDArray[np.float64]:
    """(K,) n / (K · n of the label) as scikit-learn's "balanced", at most 100; rows count by their weights."""
    often = examples.weights.astype(np.float64) * examples.appearances
    mass = (examples.targets * often[:, None]).sum(axis=0)
    balanced: NDArray[np.float64] = mass.sum() / (len(mass) * mass.clip(1e-6))
    return balanced.clip(max=MOST_CLASS_WEIGHT)
