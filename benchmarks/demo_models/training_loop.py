"""The training loop of the demo's tiny models: length-sorted batches, AdamW, a warm-up and a linear decay."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

_POOL = 16  # batches that are sampled together and sorted by length, so that little is padded
_WARMUP = 0.1

Loss = Callable[[Tensor, Tensor], Tensor]  # of token numbers and attention mask, both (B, T) int64


@dataclass(frozen=True)
class TrainingSettings:
    """steps: of the optimiser. batch: texts per step. learning_rate: the highest. seed: of the order of texts."""

    steps: int
    batch: int
    learning_rate: float
    seed: int


def train(model: nn.Module, ids: Sequence[Sequence[int]], pad: int, loss_of: Loss, settings: TrainingSettings) -> None:
    """Minimises `loss_of` over batches of `ids`, padded on the right with `pad`."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, settings.steps))
    model.train()
    for rows in _batches(ids, settings):
        padded = pad_sequence(rows, batch_first=True, padding_value=pad)  # (B, T)
        lengths = torch.tensor([len(row) for row in rows])[:, None]
        loss = loss_of(padded, (torch.arange(padded.shape[1]) < lengths).long())
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    model.eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes with one thread, so that weights do not depend on how many a machine has.

    Matrices so small gain nothing from a second thread, and on a busy machine wait for it: 5 s became 200.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _batches(ids: Sequence[Sequence[int]], settings: TrainingSettings) -> Iterator[list[Tensor]]:
    order = torch.Generator().manual_seed(settings.seed)
    done = 0
    while True:
        shuffled = torch.randperm(len(ids), generator=order).tolist()
        for start in range(0, len(shuffled), _POOL * settings.batch):
            pool = sorted(shuffled[start : start + _POOL * settings.batch], key=lambda i: len(ids[i]))
            groups = [pool[i : i + settings.batch] for i in range(0, len(pool), settings.batch)]
            for group in torch.randperm(len(groups), generator=order).tolist():
                if done == settings.steps:
                    return
                done += 1
                yield [torch.tensor(ids[i]) for i in groups[group]]


def _share(step: int, steps: int) -> float:
    warm = math.ceil(_WARMUP * steps)
    return (step + 1) / warm if step < warm else (steps - step) / max(1, steps - warm)
