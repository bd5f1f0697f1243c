"""A fine-tune between two steps, on disk: weights, optimiser, schedule, random state. No pickle in it."""

import json
import os
import shutil
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


class Tuning(Protocol):
    """What is saved: a fine-tune, or an adaptation. epoch, step, loss: how far it is."""

    model: "PreTrainedModel"
    accelerator: Any
    optimizer: Any
    schedule: Any
    memory: OomRecovery
    epoch: int
    step: int
    loss: float


def save_checkpoint(folder: Path, tuning: Tuning, notes: dict[str, Any]) -> None:
    """Writes the state of `tuning` to `folder`, in the place of an older one; `notes` is kept as JSON.

    Written beside and renamed: after a kill there is the old state or the new one, never a part.
    """
    _recover(folder)
    optimizer = tuning.optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in _trained(tuning).items()}
    for index, values in optimizer["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    numbers = {
        "epoch": tuning.epoch,
        "step": tuning.step,
        "loss": tuning.loss,
        "schedule": {k: v for k, v in tuning.schedule.state_dict().items() if k != "lr_lambdas"},
        "rates": [group["lr"] for group in optimizer["param_groups"]],
        "memory": tuning.memory.state(),
        "notes": notes,
    }
    beside = _beside(folder)
    save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, beside / TENSORS)
    (beside / NUMBERS).write_text(json.dumps(numbers), encoding="utf-8")
    _replace(folder, beside)


def save_notes(folder: Path, notes: dict[str, Any]) -> None:
    """Like save_checkpoint, of a fine-tune that is not gone on with: nothing but its notes."""
    _recover(folder)
    beside = _beside(folder)
    (beside / NUMBERS).write_text(json.dumps({"notes": notes}), encoding="utf-8")
    _replace(folder, beside)


def restore_checkpoint(folder: Path, tuning: Tuning) -> dict[str, Any] | None:
    """Takes `tuning` to the state saved in `folder`. Returns its notes, or None where there is no whole state.

    tuning: newly made, of the same model, examples, recipe and seed as the one that was saved.
    """
    _recover(folder)
    state = _read(folder)
    if state is None:
        return None
    numbers, tensors = state
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    if {name: value.shape for name, value in weights.items()} != {n: v.shape for n, v in _trained(tuning).items()}:
        return None  # of other texts, whose words are others
    model = tuning.accelerator.unwrap_model(tuning.model)
    model.load_state_dict(weights, strict=False)  # frozen weights are those of the pretrained model
    optimizer = tuning.optimizer.state_dict()
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, field = name.split(".", 2)
            optimizer["state"].setdefault(int(index), {})[field] = value
    for group, rate in zip(optimizer["param_groups"], numbers["rates"], strict=True):
        group["lr"] = rate
    tuning.optimizer.load_state_dict(optimizer)
    tuning.schedule.load_state_dict(numbers["schedule"] | {"lr_lambdas": [None] * len(numbers["rates"])})
    tuning.epoch, tuning.step, tuning.loss = numbers["epoch"], numbers["step"], numbers["loss"]
    tuning.memory.restore(numbers["memory"], model)
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


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]] | None:
    """Numbers and tensors of a state, or None where there is none or a file of it is damaged."""
    try:
        numbers = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
        # As loaded they are the file itself, mapped, and the optimiser would keep them so.
        return numbers, {name: value.clone() for name, value in load_file(folder / TENSORS).items()}
    except (OSError, ValueError, SafetensorError):
        return None


def _trained(tuning: Tuning) -> dict[str, torch.Tensor]:
    model = tuning.accelerator.unwrap_model(tuning.model)
    return {name: value.data for name, value in model.named_parameters() if value.requires_grad}


def _beside(folder: Path) -> Path:
    """Where a new state is written. What a kill left there, or of an older one, goes first: two at most lie there."""
    beside = folder.with_name(f"{folder.name}.new")
    for left in (beside, folder.with_name(f"{folder.name}.old")):
        shutil.rmtree(left, ignore_errors=True)
    beside.mkdir(parents=True)
    return beside


def _replace(folder: Path, beside: Path) -> None:
    """A folder cannot be renamed onto another: the old one steps aside first, and _recover knows that order."""
    old = folder.with_name(f"{folder.name}.old")
    if folder.exists():
        os.rename(folder, old)
    os.rename(beside, folder)
    shutil.rmtree(old, ignore_errors=True)


def _recover(folder: Path) -> None:
    """Killed between the two renames: the new state, which is whole then, takes its place."""
    if folder.exists() or not folder.with_name(f"{folder.name}.old").is_dir():
        return
    os.rename(folder.with_name(f"{folder.name}.new"), folder)
