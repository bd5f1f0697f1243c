"""Fine-tuning an encoder: the recipe, and the loop over epochs, which can be saved between any two steps."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from transfer.cpu_kernels.apply import quicken
from transfer.cpu_kernels.compact_embedding import compact
from transfer.device.device import autocast_for
from transfer.encoders.lora import LoraTargets, add_adapters, is_adapter
from transfer.encoders.model import depth, layer_of
from transfer.encoders.tokenization import Indices, Tokens, batches, pad
from transfer.training.l2_sp import L2SP
from transfer.training.losses import LossName, losses
from transfer.training.oom_recovery import OomRecovery

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ClassWeighting = Literal["none", "balanced"]
Method = Literal["full", "lora"]
GRADIENT_NORM = 1.0  # BERT's, and that of every recipe since
POOL = 32  # batches' worth of texts that are sorted by length together: 4 % padding (9 at 16), still well mixed
MOST_CLASS_WEIGHT = 100.0  # so that the only row of a rare label does not drown all the others in its batch


@dataclass(frozen=True)
class Recipe:
    """How a fine-tune is done; the parameters that a search varies.

    learning_rate: of the head, and of all layers where layer_decay is 1. batch_size: examples per optimiser step.
    warmup_share: share of the steps with a rising rate; then it falls linearly to 0. label_smoothing: share of the
    target's mass spread over all labels. class_weighting: "balanced" gives every label the same weight in all,
    however rare it is. max_length: tokens. frozen_layers: how many stay as pretrained, from the bottom, the embeddings
    counting as the first; the head always learns. layer_decay: each layer's rate as a factor of that above it (Clark
    et al., ELECTRA, 2020). method: "full" learns the layers' weights themselves, "lora" small adapters beside them
    (lora_rank, lora_targets: see adapters.py); the head is learnt in full either way, frozen layers get no adapters,
    layer_decay holds for the adapters' rates. Adapters want rates some ten times higher (Biderman et al., LoRA Learns
    Less and Forgets Less, 2024). loss: see losses.py; loss_q belongs to "generalised". anchor: how strongly the weights
    are pulled back to those that the fine-tune began with (see anchor.py); 0 for not at all.
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
    """What is learnt from: N texts and for each a distribution over K labels.

    targets: (N, K) float32, rows sum to 1; one-hot for a human's label. weights: (N,) float32, non-negative, any scale.
    turns: rows of each epoch in turn, all of one number, a row as often as it stands there; none: every epoch has all.
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
        """How many examples an epoch has."""
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


class DivergedError(RuntimeError):
    """The loss or its gradient became NaN or infinite: this recipe leads nowhere."""


class FineTuning:
    """A fine-tune in progress. `run_epoch` takes it one epoch further; checkpoint.py saves and restores it.

    Same model, examples, recipe and seed give the same weights to the last bit on one CPU with as many threads,
    also when it was saved, restored and gone on with. memory: how much is computed at a time, by default as much as
    the device takes.
    """

    def __init__(
        self, model: "PreTrainedModel", examples: Examples, recipe: Recipe, seed: int, memory: OomRecovery | None = None
    ) -> None:
        self.examples = replace(examples, tokens=examples.tokens.cut(recipe.max_length))
        self.weights = example_weights(examples, recipe.class_weighting)
        self.recipe = recipe
        self.seed = seed
        self.epoch = 0
        self.memory = memory or OomRecovery()
        self.step = 0  # of the epoch: batches done
        self.loss = 0.0  # of the epoch so far: summed over examples
        # Its precision would be one for the whole process; ours follows the model, see autocast_for.
        self.accelerator = Accelerator(mixed_precision="no")
        torch.manual_seed(seed)
        if recipe.method == "lora":
            add_adapters(model, recipe.lora_rank, recipe.lora_targets, recipe.frozen_layers)
        self.memory.prepare(model)
        if recipe.method == "full":
            quicken(model, self.accelerator.device.type)
            if recipe.frozen_layers == 0:
                compact(model, self.examples.tokens)
        optimizer = torch.optim.AdamW(parameter_groups(model, recipe), lr=recipe.learning_rate, fused=True)
        steps = math.ceil(examples.per_epoch / recipe.batch_size) * recipe.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_shares(steps, recipe.warmup_share))
        self.model = cast("PreTrainedModel", self.accelerator.prepare(model))
        self.optimizer = self.accelerator.prepare(optimizer)
        self.anchor = L2SP(self.model.parameters(), recipe.anchor) if recipe.anchor > 0 else None

    @property
    def is_done(self) -> bool:
        """Whether all epochs of the recipe have been run."""
        return self.epoch >= self.recipe.epochs

    def run_epoch(self, on_step: Callable[[int], None] = lambda examples: None) -> float:
        """The rest of a pass over the examples; `on_step` hears how many each step took. Returns its mean loss (nats).

        In `on_step` the fine-tune stands between two steps and may be saved; what is raised there leaves it so.
        Raises DivergedError as soon as a step's loss or gradient is not finite, before it reaches the weights.
        """
        self.model.train()
        lengths = self.examples.tokens.lengths
        for rows in self._steps(lengths)[self.step :]:
            self.loss += self._step(rows, lengths) * len(rows)
            self.step += 1
            on_step(len(rows))
        loss = self.loss / self.examples.per_epoch
        self.epoch, self.step, self.loss = self.epoch + 1, 0, 0.0
        return loss

    def _steps(self, lengths: Indices) -> list[Indices]:
        rng = np.random.default_rng([self.seed, self.epoch])
        return shuffled_batches(self.examples.rows(self.epoch), lengths, self.recipe.batch_size, rng)

    def _step(self, rows: Indices, lengths: Indices) -> float:
        """One optimiser step over `rows`, in micro-batches that fit the device's memory. Returns its mean loss."""
        total = self.memory.fit(lambda: self._gradients(rows, lengths), self.model, lengths[rows])
        if self.anchor is not None:
            self.anchor.pull()
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        if not math.isfinite(total) or not math.isfinite(norm):
            told = f"loss {float(total)}, gradient norm {float(norm)}"
            raise DivergedError(f"training diverged in epoch {self.epoch + 1}: {told}")
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(total)

    def _gradients(self, rows: Indices, lengths: Indices) -> torch.Tensor:
        """Adds up the gradients of the mean loss over `rows`, a token budget at a time. Returns that loss."""
        total = torch.zeros((), device=self.accelerator.device)
        for micro in batches(lengths[rows], self.memory.tokens):
            loss = self._loss(rows[micro]) / len(rows)
            self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _loss(self, rows: Indices) -> torch.Tensor:
        """Weighted sum of the rows' losses against their smoothed targets."""
        device = self.accelerator.device
        ids, mask = pad(self.examples.tokens, rows)  # (B, T)
        with autocast_for(self.model, device.type):
            logits = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits  # (B, K)
        if self.examples.temperatures is not None:
            logits = logits / torch.from_numpy(self.examples.temperatures[rows, None]).to(device)
        targets = torch.from_numpy(self.examples.targets[rows]).to(device)
        smoothing = self.recipe.label_smoothing
        targets = targets * (1 - smoothing) + smoothing / targets.shape[1]
        each = losses(logits.float(), targets, self.recipe.loss, self.recipe.loss_q)  # (B,)
        return (each * torch.from_numpy(self.weights[rows]).to(device)).sum()


def shuffled_batches(rows: Indices, lengths: Indices, size: int, rng: np.random.Generator) -> list[Indices]:
    """The rows in batches of `size`: shuffled, then sorted by length within pools, then the batches shuffled.

    lengths: of all texts, by row.
    """
    order = rng.permutation(rows)
    pools = [order[i : i + size * POOL] for i in range(0, len(order), size * POOL)]
    by_length = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    steps = [pool[i : i + size] for pool in by_length for i in range(0, len(pool), size)]
    return [steps[i] for i in rng.permutation(len(steps))]


def rate_shares(steps: int, warmup_share: float) -> Callable[[int], float]:
    """The share of the learning rate at each of `steps` steps: up during the warm-up, then linearly down to 0."""
    warmup = round(steps * warmup_share)

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return max((steps - step) / max(steps - warmup, 1), 0.0)

    return share


def parameter_groups(model: "PreTrainedModel", recipe: Recipe) -> list[dict[str, object]]:
    """Parameters by layer and by whether they decay, each group with its rate; frozen ones stop needing gradients.

    Biases and normalisation weights (all that are vectors) do not decay. With adapters, they and the head learn.
    """
    layers = depth(model.config)
    frozen = min(recipe.frozen_layers, layers + 1)
    groups: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        layer = layer_of(name, layers)
        parameter.requires_grad = layer >= frozen and (recipe.method == "full" or layer > layers or is_adapter(name))
        if parameter.requires_grad:
            groups.setdefault((layer, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": recipe.learning_rate * recipe.layer_decay ** (layers + 1 - layer),
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (layer, decays), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]


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
