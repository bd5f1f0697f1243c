"""Fine-tuning an encoder: the loop over epochs, which can be saved between any two steps."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from accelerate import Accelerator

from transfer.cpu_kernels.apply import apply_cpu_kernels
from transfer.device.device import autocast_for
from transfer.encoders.lora import add_adapters, is_adapter
from transfer.encoders.model import depth, layer_of
from transfer.encoders.tokenization import Indices, batches, pad
from transfer.training.losses import L2SP, losses
from transfer.training.oom_recovery import OomRecovery
from transfer.training.recipe import Examples, Recipe, example_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GRADIENT_NORM = 1.0  # BERT's, and that of every recipe since
POOL = 32  # batches' worth of texts that are sorted by length together: 4 % padding (9 at 16), still well mixed


class DivergedError(RuntimeError):
    """The loss or its gradient became NaN or infinite: the recipe does not work here."""


class FineTuning:
    """A fine-tune in progress. `run_epoch` takes it one epoch further; checkpoint.py saves and restores it.

    Same model, examples, recipe and seed give the same weights to the last bit on one CPU with as many threads,
    also when it was saved, restored and resumed. memory: how much is computed at a time, by default as much as
    the device takes.
    """

    def __init__(
        self, model: "PreTrainedModel", examples: Examples, recipe: Recipe, seed: int, memory: OomRecovery | None = None
    ) -> None:
        self.examples = replace(examples, tokens=examples.tokens.cut(recipe.max_length))
        self.weights = example_weights(examples, recipe.class_weighting)
        self.recipe, self.seed = recipe, seed
        self.memory = memory or OomRecovery()
        self.epoch, self.step, self.loss = 0, 0, 0.0  # batches done in the epoch, and the sum of its examples' losses
        # Its precision would be one for the whole process; ours follows the model, see autocast_for.
        self.accelerator = Accelerator(mixed_precision="no")
        torch.manual_seed(seed)
        if recipe.method == "lora":
            add_adapters(model, recipe.lora_rank, recipe.lora_targets, recipe.frozen_layers)
        self.memory.prepare(model)
        if recipe.method == "full":
            train_only = self.examples.tokens if recipe.frozen_layers == 0 else None
            apply_cpu_kernels(model, self.accelerator.device.type, train_only)
        optimizer = torch.optim.AdamW(parameter_groups(model, recipe), lr=recipe.learning_rate, fused=True)
        steps = math.ceil(examples.per_epoch / recipe.batch_size) * recipe.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_shares(steps, recipe.warmup_share))
        self.model = cast("PreTrainedModel", self.accelerator.prepare(model))
        self.optimizer = self.accelerator.prepare(optimizer)
        self.anchor = L2SP(self.model.parameters(), recipe.anchor) if recipe.anchor > 0 else None

    @property
    def is_done(self) -> bool:
        return self.epoch >= self.recipe.epochs

    def run_epoch(self, on_step: Callable[[int], None] = lambda examples: None) -> float:
        """The rest of a pass over the examples. on_step: called with the size of each step. Returns its mean loss.

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
            values = f"loss {float(total)}, gradient norm {float(norm)}"
            raise DivergedError(f"training diverged in epoch {self.epoch + 1}: {values}")
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
