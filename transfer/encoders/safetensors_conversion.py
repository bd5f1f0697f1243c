"""Weights in a pickled file as safetensors, converted once and kept. Nothing in such a file is executed."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.atomic_write import atomic_folder
from transfer.errors import UserError, first_line

if TYPE_CHECKING:
    import torch

PICKLED = ["pytorch_model.bin", "pytorch_model-*-of-*.bin"]
SMALL_SUFFIXES = {".json", ".txt", ".model", ".jinja", ".codes"}


def convert_once(folder: Path, what: str) -> Path:
    """A folder with the small files of `folder` and its pickled weights as model.safetensors.

    It is kept in the hub's home (HF_HOME) and made again when a file of `folder` changes. Several processes may call
    it at once. Raises UserError, which begins with `what`, where a file holds anything but weights, or no weights.
    """
    from huggingface_hub.constants import HF_HOME

    weights = sorted({path for pattern in PICKLED for path in folder.glob(pattern)})
    small = sorted(path for path in folder.iterdir() if path.suffix in SMALL_SUFFIXES and path.is_file())
    small = [path for path in small if not path.name.endswith(".index.json")]  # it names shards that are joined here
    target = Path(HF_HOME) / "moodline" / _stamp([*weights, *small])
    if not target.is_dir():
        _make(target, weights, small, what)
    return target


def _stamp(files: Sequence[Path]) -> str:
    files_now = [f"{path.name}|{path.resolve()}|{path.stat().st_size}|{path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(files_now).encode()).hexdigest()[:24]


def _make(target: Path, weights: Sequence[Path], small: Sequence[Path], what: str) -> None:
    from safetensors.torch import save_file

    with atomic_folder(target) as part:
        for path in small:
            shutil.copyfile(path, part / path.name)
        tensors = {name: value for path in weights for name, value in _read(path, what).items()}
        save_file(tensors, part / "model.safetensors", metadata={"format": "pt"})


def _read(path: Path, what: str) -> "dict[str, torch.Tensor]":
    """The file's tensors by name, each with memory of its own, as safetensors wants them."""
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _unfit(path, what, f"{type(error).__name__}: {first_line(error, 200)}") from error
    items = loaded.items() if isinstance(loaded, Mapping) else ()
    tensors = {str(name): value.clone().contiguous() for name, value in items if torch.is_tensor(value)}
    if not tensors:
        raise _unfit(path, what, "it holds no tensors by name")
    return tensors


def _unfit(path: Path, what: str, why: str) -> UserError:
    return UserError(
        f"{what}: {path.name} is not a file of plain weights, so it was not loaded",
        why,
        "ask its owner for safetensors; files that run code when they are read are refused",
    )
