"""A fine-tune between two steps, on disk: weights, optimiser, schedule, random state. No pickle in it."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from transfer.training.oom_recovery import OomRecovery

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TENSORS = "state.safetensors"
NUMBERS = "state.json"


class TrainingRun(Protocol):
    """A training run that can be saved: a fine-tune or a domain adaptation. epoch, step, loss: its progress."""

    model: "PreTrainedModel"
    accelerator: Any
    optimizer: Any
    schedule: Any
    memory: OomRecovery
    epoch: int
    step: int
    loss: float


def save_checkpoint(folder: Path, run: TrainingRun, notes: dict[str, Any]) -> None:
    """Writes the state of `run` to `folder`, in the place of an older one; `notes` is kept as JSON.

    After a kill there is the old state or the new one, never a part.
    """
    optimizer = run.optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in _trained(run).items()}
    for index, values in optimizer["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    numbers = {
        "epoch": run.epoch,
        "step": run.step,
        "loss": run.loss,
        "schedule": {k: v for k, v in run.schedule.state_dict().items() if k != "lr_lambdas"},
        "rates": [group["lr"] for group in optimizer["param_groups"]],
        "memory": run.memory.state(),
        "notes": notes,
    }
    with _new_state(folder) as new:
        save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, new / TENSORS)
        (new / NUMBERS).write_text(json.dumps(numbers), encoding="utf-8")


def save_notes(folder: Path, notes: dict[str, Any]) -> None:
    """Like save_checkpoint, of a run that ends here: its notes alone."""
    with _new_state(folder) as new:
        (new / NUMBERS).write_text(json.dumps({"notes": notes}), encoding="utf-8")


def restore_checkpoint(folder: Path, run: TrainingRun) -> dict[str, Any] | None:
    """Restores `run` from the state in `folder`. Returns its notes, or None where there is no whole state.

    run: newly made, with the same model, examples, recipe and seed as the saved one.
    """
    _recover(folder)
    try:
        numbers = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
        # As loaded they are the file itself, mapped, and the optimiser would keep them so.
        tensors = {name: value.clone() for name, value in load_file(folder / TENSORS).items()}
    except (OSError, ValueError, SafetensorError):
        return None
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    if {name: value.shape for name, value in weights.items()} != {n: v.shape for n, v in _trained(run).items()}:
        return None  # of other texts, whose words are others
    model = run.accelerator.unwrap_model(run.model)
    model.load_state_dict(weights, strict=False)  # frozen weights are those of the pretrained model
    optimizer = run.optimizer.state_dict()
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, field = name.split(".", 2)
            optimizer["state"].setdefault(int(index), {})[field] = value
    for group, rate in zip(optimizer["param_groups"], numbers["rates"], strict=True):
        group["lr"] = rate
    run.optimizer.load_state_dict(optimizer)
    run.schedule.load_state_dict(numbers["schedule"] | {"lr_lambdas": [None] * len(numbers["rates"])})
    run.epoch, run.step, run.loss = numbers["epoch"], numbers["step"], numbers["loss"]
    run.memory.restore(numbers["memory"], model)
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
    notes: dict[str, Any] = numbers["notes"]
    return notes


def checkpoint_notes(folder: Path) -> dict[str, Any] | None:
    """The notes of the state in `folder`, without its weights; None where there is none."""
    _recover(folder)
    try:
        notes: dict[str, Any] = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))["notes"]
    except (OSError, ValueError):
        return None
    return notes


def _trained(run: TrainingRun) -> dict[str, torch.Tensor]:
    model = run.accelerator.unwrap_model(run.model)
    return {name: value.data for name, value in model.named_parameters() if value.requires_grad}


@contextmanager
def _new_state(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends."""
    _recover(folder)
    new = folder.with_name(f"{folder.name}.new")
    for left in (new, folder.with_name(f"{folder.name}.old")):  # by a kill
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    yield new
    _replace(folder, new)


def _replace(folder: Path, new: Path) -> None:
    """A folder cannot be renamed onto another, so the old one is renamed first; _recover relies on that order."""
    old = folder.with_name(f"{folder.name}.old")
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def _recover(folder: Path) -> None:
    """After a kill between the two renames: puts the new state, which is whole then, in place."""
    if folder.exists() or not folder.with_name(f"{folder.name}.old").is_dir():
        return
    os.rename(folder.with_name(f"{folder.name}.new"), folder)
