"""A trial's best weights so far: in memory while nothing on disk speaks of them, else in the trial's own folder."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from studies.trials.learning_curve import Epoch, weights_folder
from studies.trials.trial_task import Probabilities
from transfer.encoders.lora import merge_adapters

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Held up to this size, in bytes of trained parameters. Writing them takes little of a larger model's epochs.
MOST_HELD = 512 * 2**20


class BestWeights:
    """The best epoch of a trial that is not on disk yet.

    An epoch becomes the best; then either `write` puts it on disk, for a checkpoint or the trial's end will name it,
    or training goes on and `hold` copies what is trained. A trial of short epochs so writes its weights once, or never
    where they are not wanted, instead of 91 MB for each epoch that is better than those before it.
    """

    def __init__(self, own: Path, tokenizer: "PreTrainedTokenizerBase") -> None:
        """own: the trial's folder."""
        self.own, self.tokenizer = own, tokenizer
        self.epoch: Epoch | None = None
        self.probabilities: Mapping[str, Probabilities] = {}
        self.copies: list[torch.Tensor] | None = None  # None: the model itself has them

    def take(self, epoch: Epoch, probabilities: Mapping[str, Probabilities]) -> None:
        """The model, as it is now, is the best so far. probabilities: its own, by evaluation set."""
        self.epoch, self.probabilities, self.copies = epoch, probabilities, None

    def hold(self, model: "PreTrainedModel") -> None:
        """Training goes on: copies what is the model's alone yet, or writes it where that would take much memory."""
        if self.epoch is None or self.copies is not None:
            return
        trained = _trained(model)
        if sum(value.nbytes for value in trained) > MOST_HELD:
            self.write(model)
        else:
            self.copies = [value.detach().to("cpu", copy=True) for value in trained]

    def write(self, model: "PreTrainedModel", *, trains_on: bool = True) -> None:
        """Puts it on disk, in the folder of its epoch; nothing where it is there already.

        model: the trained one, whatever it has learned since. trains_on: whether its present weights are needed later;
        where they are not, the weights are published next.
        """
        if self.epoch is None:
            return
        folder, copies = weights_folder(self.own, self.epoch), self.copies
        self.write_answers()
        with _having(model, copies, trains_on):
            merge_adapters(model).save_pretrained(folder)
        if not trains_on:
            _begin_flush(folder)
        self.tokenizer.save_pretrained(folder)

    def write_answers(self) -> None:
        """Puts its probabilities on disk, for a trial that ends and whose weights are not kept."""
        if self.epoch is None:
            return
        folder = weights_folder(self.own, self.epoch)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "probabilities").mkdir(parents=True)
        for name, values in self.probabilities.items():
            np.save(folder / "probabilities" / f"{name}.npy", values, allow_pickle=False)
        self.epoch, self.probabilities, self.copies = None, {}, None


def has_weights(folder: Path) -> bool:
    """Whether a folder of an epoch's has its weights, too."""
    return any(folder.glob("*.safetensors"))


def _trained(model: "PreTrainedModel") -> list[torch.nn.Parameter]:
    return [value for value in model.parameters() if value.requires_grad]


def _begin_flush(folder: Path) -> None:
    """Has the system begin to write the weights to the disk, which publishing waits for: 0.06 s for a MiniLM's, while
    the trial's pictures are drawn. Errors are raised where it is waited for, not here."""
    if hasattr(os, "posix_fadvise"):
        for path in folder.glob("*.safetensors"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _having(model: "PreTrainedModel", copies: list[torch.Tensor] | None, trains_on: bool) -> Iterator[None]:
    """The model with other weights in it, for as long as the block lasts; no more memory is taken on its device.

    For good where it does not train on.
    """
    if copies is None:
        yield
        return
    trained = _trained(model)
    own = [value.detach().to("cpu", copy=True) for value in trained] if trains_on else []
    _put(copies, trained)
    try:
        yield
    finally:
        if trains_on:
            _put(own, trained)


@torch.no_grad()
def _put(values: list[torch.Tensor], into: list[torch.nn.Parameter]) -> None:
    for value, parameter in zip(values, into, strict=True):
        parameter.copy_(value)
