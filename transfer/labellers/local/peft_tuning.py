"""Tunes a local LM to label: an adapter is trained on labelled texts with the scores that labelling uses.

The loss of a text is the cross-entropy of its label under the softmax over the log-probabilities of all complete label
strings, after the whole prompt, its fixed part included. The same seed, rows and machine give the same adapter.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from transfer.encoders.tokenization import batches
from transfer.errors import UserError
from transfer.labellers.labeller_settings import TuningSettings
from transfer.labellers.local.label_likelihood import encode_shared, label_scores, traced_scores
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.labellers.local.peft_adapter import Attached, embedding_size, new_adapter
from transfer.training.oom_recovery import NoRoomError, OomRecovery

WARMUP = 0.1  # share of the steps in which the rate rises; then it falls linearly to 0
CLIP = 1.0  # longest gradient
# A held-out loss is lower only by more than this, which is above rounding.
LEAST_GAIN = 1e-4

Advance = Callable[[float], None]


@dataclass(frozen=True)
class Rows:
    """Texts and their labels, (N,) int64."""

    texts: Sequence[str]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Tuned:
    """The result of a tuning.

    plain_loss, losses: mean cross-entropy of the held-out rows, in nats, with the plain prompt and after each epoch.
    An epoch whose loss is not finite is the last. epoch: the one kept, from 1; or 0, and then there is no adapter.
    """

    plain_loss: float
    losses: list[float]
    epoch: int
    learnt_from: int
    held_out: int

    def as_dict(self) -> dict[str, object]:
        """Everything, as JSON takes it; a loss that is not finite is null."""
        return asdict(self) | {"losses": [loss if math.isfinite(loss) else None for loss in self.losses]}


def tune(
    labeller: LocalLabeller,
    settings: TuningSettings,
    learn: Rows,
    held_out: Rows,
    seed: int,
    folder: Path,
    on_message: Callable[[str], None] = lambda text: None,
    advance: Advance = lambda done: None,
) -> Tuned:
    """Trains an adapter and saves the best epoch's into `folder`; see the module.

    labeller: without an adapter; its weights are freed, and loaded again when it next answers.
    on_message: called with faults. advance: called with the number of rows trained on.
    Raises UserError where the device's memory is not enough for one text at a time.
    """
    answers = dict(labeller.answer(held_out.texts))
    own = [(answers[i].probabilities or ())[label] for i, label in enumerate(held_out.labels)]
    plain = float(-np.log(np.clip(own, 1e-12, None)).mean())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        trainer = _Trainer(labeller, settings, learn, held_out, on_message)
        try:
            losses, best, kept = trainer.run(seed, advance)
        except NoRoomError as error:
            raise UserError(
                f"{labeller.where}.tuning: {labeller.settings.model} has no room to learn from one text at a time",
                "set dtype: bfloat16 or quantisation: int8, shorten the prompt, or take a smaller model",
            ) from error
        if kept is not None:
            trainer.attached.restore(kept)
            trainer.attached.save(folder)
    labeller.unload()
    return Tuned(plain, losses, best, len(learn.texts), len(held_out.texts))


class _Trainer:
    def __init__(
        self,
        labeller: LocalLabeller,
        settings: TuningSettings,
        learn: Rows,
        held_out: Rows,
        on_message: Callable[[str], None],
    ) -> None:
        virtual = settings.virtual_tokens if settings.kind == "prompt" else 0
        self.settings, self.learn, self.held_out = settings, learn, held_out
        self.task = labeller.task([*learn.texts, *held_out.texts], virtual)
        self.attached: Attached = new_adapter(labeller.model, settings, self.task.words, labeller.settings.model or "")
        self.memory = OomRecovery(labeller.settings.batch_tokens, on_message=on_message)
        self.truth = torch.tensor(np.concatenate([learn.labels, held_out.labels]), device=self.attached.model.device)
        self.lengths = np.array([len(ids) for ids in self.task.prompts], dtype=np.int64)
        scale = embedding_size(self.attached.model, self.task.words) if settings.kind == "prompt" else 1.0
        self.optimizer = torch.optim.AdamW(self.attached.parameters(), lr=settings.rate * scale, weight_decay=0.0)
        self.steps = settings.epochs * math.ceil(len(learn.texts) / settings.batch)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._share)

    def run(self, seed: int, advance: Advance) -> tuple[list[float], int, dict[str, torch.Tensor] | None]:
        """Held-out losses, the best epoch (from 1, or 0), and its state."""
        order = np.random.default_rng(seed)
        losses: list[float] = []
        best, kept = 0, None
        for epoch in range(1, self.settings.epochs + 1):
            if not self._epoch(order.permutation(len(self.learn.texts)), advance):
                losses.append(math.nan)
                break
            losses.append(self.held_out_loss())
            if math.isfinite(losses[-1]) and (not best or losses[-1] < losses[best - 1] - LEAST_GAIN):
                best, kept = epoch, dict(self.attached.state())
            elif epoch - best >= self.settings.patience:
                break
        return losses, best, kept

    def held_out_loss(self) -> float:
        """Mean cross-entropy of the held-out rows, scored as labelling scores."""
        first = len(self.learn.texts)
        rows = np.arange(first, len(self.lengths))

        def work() -> float:
            shared = encode_shared(self.attached.model, self.task.beginning, self.attached.virtual)
            total = 0.0
            for micro in batches(self.lengths[rows], self.memory.tokens):
                prompts = [self.task.prompts[first + i] for i in micro]
                scores = label_scores(self.attached.model, prompts, self.task.labels, shared)
                total += float(self._loss(scores, rows[micro]))
            return total / len(rows)

        return self.memory.fit(work, self.attached.wrapped, self.lengths[rows])

    def _epoch(self, order: NDArray[np.int64], advance: Advance) -> bool:
        """Whether all losses and gradients were finite."""
        for start in range(0, len(order), self.settings.batch):
            rows = order[start : start + self.settings.batch]
            self.optimizer.zero_grad()
            self.memory.fit(lambda rows=rows: self._add_gradients(rows), self.attached.wrapped, self.lengths[rows])  # type: ignore[misc]
            if not torch.isfinite(torch.nn.utils.clip_grad_norm_(self.attached.parameters(), CLIP)):
                return False
            self.optimizer.step()
            self.schedule.step()
            advance(len(rows))
        return True

    def _add_gradients(self, rows: NDArray[np.int64]) -> None:
        """Adds the gradients of the rows' mean loss, from micro-batches within the token budget."""
        for micro in batches(self.lengths[rows], self.memory.tokens):
            prompts = [self.task.prompts[i] for i in rows[micro]]
            scores = traced_scores(
                self.attached.model, prompts, self.task.labels, self.task.beginning, self.attached.virtual
            )
            torch.autograd.backward(self._loss(scores, rows[micro]) / len(rows))

    def _loss(self, scores: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        """Summed cross-entropy of scores (B, K) against the labels of `rows`, (B,)."""
        truth = self.truth[torch.as_tensor(rows)].to(scores.device)
        return torch.nn.functional.cross_entropy(self.task.normalised(scores), truth, reduction="sum")

    def _share(self, step: int) -> float:
        warm = max(1, math.ceil(WARMUP * self.steps))
        return (step + 1) / warm if step < warm else (self.steps - step) / max(1, self.steps - warm)
