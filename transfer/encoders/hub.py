"""A model's folder on this machine, whether it was one already or lies on the hub.

Weights are safetensors. A repository that ships only a pickled file is read with `weights_only`, so that nothing in it
is executed, and converted once.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer.atomic_write import atomic_folder
from transfer.errors import UserError, first_line

if TYPE_CHECKING:
    import torch
    from huggingface_hub.errors import HfHubHTTPError

SUFFIXES = (".json", ".txt", ".model", ".jinja", ".codes")  # of configuration and tokenizer
SMALL_FILES = [f"*{suffix}" for suffix in SUFFIXES]
# Not every safetensors file: repositories keep adapters, half precision and other programs' weights beside these.
WEIGHTS = ["model.safetensors", "model-*-of-*.safetensors"]
# For every from_pretrained of weights: no pickles, and no code of a repository.
SAFELY: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
PICKLED = ["pytorch_model.bin", "pytorch_model-*-of-*.bin"]


def fetch_config(name: str, revision: str | None = None) -> Path:
    """A folder with the model's configuration and tokenizer, without its weights; see fetch_model."""
    return _folder(name) or _download(name, revision, SMALL_FILES)


def fetch_model(name: str, revision: str | None = None) -> Path:
    """A folder with the model's configuration, tokenizer and safetensors weights.

    name: a folder, or a repository on the hub (HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the cache count as always).
    A folder needs no network, and no file with code is ever downloaded.
    Raises UserError where there is none: no such repository or revision, a gated one, no network, no weights, or
    weights in a file that would run code.
    """
    folder = _folder(name) or _download(name, revision, [*SMALL_FILES, *WEIGHTS])
    if _has(folder, WEIGHTS):
        return folder
    if _folder(name) is None:
        folder = _download(name, revision, [*SMALL_FILES, *PICKLED])
    if not _has(folder, PICKLED):
        raise UserError(
            f"candidate '{name}': no weights in {folder}",
            "looked for model.safetensors and, to convert, pytorch_model.bin",
            "a model for transformers and torch is needed (no TensorFlow or Flax weights)",
        )
    with hub_problems(f"candidate '{name}'"):
        return _convert_once(folder, f"candidate '{name}'")


def model_version(folder: Path) -> str:
    """A model's version: a hub snapshot's commit, else SHA-256 over the folder's own files."""
    if folder.parent.name == "snapshots":
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(path for pattern in ["config.json", "tokenizer*", *WEIGHTS] for path in folder.glob(pattern)):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _folder(name: str) -> Path | None:
    path = Path(name)
    if not path.is_dir():
        return None
    if not (path / "config.json").is_file():
        advice = "a folder that transformers saved is needed"
        raise UserError(f"candidate '{name}': the folder has no config.json", advice)
    return path


def _has(folder: Path, patterns: list[str]) -> bool:
    return any(any(folder.glob(pattern)) for pattern in patterns)


def _download(name: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    with hub_problems(f"candidate '{name}'", revision):
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*"]))


@contextmanager
def hub_problems(what: str, revision: str | None = None) -> Iterator[None]:
    """Turns what the hub client raises into one message with advice that begins with `what`."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise UserError(
            f"{what}: the repository is gated: its owner grants access on request",
            "ask for access on its page, then set HF_TOKEN to a token of that account (or run: hf auth login)",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{what}: the repository has no revision '{revision}'") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise UserError(
            f"{what}: no such folder here, and no such repository on the hub",
            "check the spelling (owner/name); a private repository needs HF_TOKEN",
        ) from error
    except errors.LocalEntryNotFoundError as error:
        # The client reports that nothing is cached; its cause is what kept it from the hub.
        cause = error.__cause__
        raise (_refused(what, cause) if isinstance(cause, errors.HfHubHTTPError) else _unreachable(what)) from error
    except (ConnectionError, TimeoutError) as error:
        raise _unreachable(what) from error
    except errors.HfHubHTTPError as error:
        raise _refused(what, error) from error
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        raise UserError(f"{what}: {error.strerror or error}{file}") from error
    except Exception as error:
        # The HTTP client's own errors share no base with ConnectionError.
        if type(error).__module__.split(".")[0].startswith("httpx"):
            raise _unreachable(what) from error
        raise


def _refused(what: str, error: "HfHubHTTPError") -> UserError:
    no_access = "check the spelling, and HF_TOKEN: a private repository needs a token that may read it"
    advice = no_access if error.response.status_code in {401, 403} else "try again later"
    return UserError(f"{what}: the hub answered: {str(error).strip().partition(chr(10))[0]}", advice)


def _unreachable(what: str) -> UserError:
    return UserError(
        f"{what}: no such folder here, and the hub cannot be reached",
        "a folder is looked for beside the plan; a hub name needs the network once, then it is cached",
        "offline (HF_HUB_OFFLINE=1) works with what was downloaded before",
    )


def _convert_once(folder: Path, what: str) -> Path:
    """A folder with the small files of `folder` and its pickled weights as model.safetensors.

    It is kept in the hub's home (HF_HOME) and made again when a file of `folder` changes. Several processes may call
    it at once. Raises UserError, which begins with `what`, where a file holds anything but weights, or no weights.
    """
    from huggingface_hub.constants import HF_HOME

    weights = sorted({path for pattern in PICKLED for path in folder.glob(pattern)})
    small = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    small = [path for path in small if not path.name.endswith(".index.json")]  # it names shards that are joined here
    target = Path(HF_HOME) / "moodline" / _stamp([*weights, *small])
    if not target.is_dir():
        _convert(target, weights, small, what)
    return target


def _stamp(files: Sequence[Path]) -> str:
    files_now = [f"{path.name}|{path.resolve()}|{path.stat().st_size}|{path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(files_now).encode()).hexdigest()[:24]


def _convert(target: Path, weights: Sequence[Path], small: Sequence[Path], what: str) -> None:
    from safetensors.torch import save_file

    with atomic_folder(target) as part:
        for path in small:
            shutil.copyfile(path, part / path.name)
        tensors = {name: value for path in weights for name, value in _pickled_tensors(path, what).items()}
        save_file(tensors, part / "model.safetensors", metadata={"format": "pt"})


def _pickled_tensors(path: Path, what: str) -> "dict[str, torch.Tensor]":
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
