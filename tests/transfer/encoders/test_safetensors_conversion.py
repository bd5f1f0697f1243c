"""Pickled weights are converted once, and nothing in them is run."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.helpers.fetching import outcomes
from tests.helpers.model_hub import Hub
from tests.helpers.tiny_encoders import Encoder
from transfer.encoders.hub import fetch_model
from transfer.errors import UserError


def pickled(folder: Path, *, shards: int = 1) -> dict[str, torch.Tensor]:
    """Puts pickled weights in the place of safetensors. Returns the weights."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    if shards == 1:
        torch.save(tensors, folder / "pytorch_model.bin")
        return tensors
    for i in range(shards):
        part = {name: tensors[name] for name in names[i::shards]}
        torch.save(part, folder / f"pytorch_model-{i + 1:05}-of-{shards:05}.bin")
    (folder / "pytorch_model.bin.index.json").write_text("{}", encoding="utf-8")
    return tensors


class Malice:
    """What a pickled file can carry: reading it runs a command."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.trace}",)


def test_a_pickled_repository_is_converted_once(hub: Hub, environment: dict[str, str], encoder: Encoder) -> None:
    hub.folders["me/old"] = encoder("roberta")
    tensors = pickled(hub.folders["me/old"])
    first, second = outcomes(environment, ("model", "me/old"), ("model", "me/old"))
    assert first == second
    assert first.startswith(environment["HF_HOME"])
    converted = load_file(Path(first) / "model.safetensors")
    assert converted.keys() == tensors.keys()
    assert all(torch.equal(converted[name], tensors[name]) for name in tensors)
    assert {"config.json", "tokenizer.json"} <= {path.name for path in Path(first).iterdir()}


@pytest.mark.parametrize("shards", [1, 2])
def test_a_local_folder_with_a_pickled_file_is_converted_once(
    encoder: Encoder, home: Path, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = encoder("bert")
    tensors = pickled(folder, shards=shards)
    before = sorted(folder.iterdir())
    first = fetch_model(str(folder))
    with monkeypatch.context() as patch:
        patch.delattr(torch, "load")
        assert fetch_model(str(folder)) == first
    assert sorted(folder.iterdir()) == before  # the user's folder is left as it was
    assert all(torch.equal(value, tensors[name]) for name, value in load_file(first / "model.safetensors").items())
    assert not list(first.glob("*.index.json"))  # it would point at shards that are not there

    # The copy follows the folder: its configuration counts as much as its weights.
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.25}), encoding="utf-8")
    again = fetch_model(str(folder))
    assert again != first
    assert json.loads((again / "config.json").read_text(encoding="utf-8"))["hidden_dropout_prob"] == 0.25


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_malicious_pickle_is_refused_and_nothing_in_it_runs(
    encoder: Encoder, home: Path, tmp_path: Path, how: str
) -> None:
    folder, trace = encoder("bert"), tmp_path / "trace"
    weights = pickled(folder) | {"classifier.weight": Malice(trace)}
    if how == "pickle":
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(weights))
    else:
        torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"candidate '.*': pytorch_model\.bin is not a file of plain weights"):
        fetch_model(str(folder))
    assert not trace.exists()
    assert not list((home / "moodline").iterdir())  # nothing half done stays behind


@pytest.mark.parametrize("content", [b"", b"<html>an error page</html>", [1, 2], {"epoch": 3}, torch.ones(2)])
def test_a_file_without_weights_is_refused(encoder: Encoder, home: Path, content: object) -> None:
    folder = encoder("bert")
    pickled(folder)
    if isinstance(content, bytes):
        (folder / "pytorch_model.bin").write_bytes(content)
    else:
        torch.save(content, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="is not a file of plain weights"):
        fetch_model(str(folder))


def test_safetensors_come_first(encoder: Encoder, home: Path) -> None:
    folder = encoder("bert")
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert fetch_model(str(folder)) == folder
    assert not home.exists()


def test_an_adapter_beside_a_pickled_file_does_not_pass_for_the_weights(encoder: Encoder, home: Path) -> None:
    folder = encoder("bert")
    tensors = pickled(folder)
    save_file({"adapter": torch.ones(2)}, folder / "adapter_model.safetensors")
    assert load_file(fetch_model(str(folder)) / "model.safetensors").keys() == tensors.keys()


def test_a_home_that_cannot_be_written_is_explained(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = encoder("bert")
    pickled(folder)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"candidate '.*': Not a directory: .*file/moodline"):
        fetch_model(str(folder))
