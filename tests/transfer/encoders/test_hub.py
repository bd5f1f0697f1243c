"""Models come through the ordinary hub client, pickled ones are converted, and what cannot come is explained."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.helpers.model_hub import COMMIT, GATED_FILES, Hub, model_hub
from tests.helpers.tiny_encoders import save_encoder
from tests.transfer.conftest import Encoder
from transfer.encoders.hub import fetch_config, fetch_model, model_version
from transfer.errors import UserError

# In a process of its own: the client reads its environment once. Torch is loaded only where a file is converted.
FETCH = """
import json, sys
from transfer.encoders.hub import fetch_config, fetch_model
from transfer.errors import UserError
def outcome(what, name, revision=None):
    try:
        return str({"config": fetch_config, "model": fetch_model}[what](name, revision))
    except UserError as problem:
        return f"UserError: {problem}"
print(json.dumps([outcome(*arguments) for arguments in json.loads(sys.argv[1])]))
"""


def outcomes(environment: dict[str, str], *asked: tuple[str, ...]) -> list[str]:
    """The folder, or the problem, for each (config or model, name, revision)."""
    command = [sys.executable, "-c", FETCH, json.dumps(asked)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with model_hub() as running:
        yield running


@pytest.fixture
def environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    return {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": "",
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's home of this process, for conversions of local folders."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


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


def test_a_repository_is_downloaded_as_far_as_it_is_needed_and_then_works_offline(
    hub: Hub, environment: dict[str, str], encoder: Encoder
) -> None:
    hub.folders["me/bert"] = folder = encoder("bert")
    for name in ("pytorch_model.bin", "model.fp16.safetensors", "modeling_own.py", "onnx/config.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not wanted")
    (config,) = outcomes(environment, ("config", "me/bert"))
    assert {path.name for path in Path(config).iterdir()} == {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }

    # Without the weights the cache does not do, and says so.
    offline = environment | {"HF_HUB_OFFLINE": "1"}
    cached, absent = outcomes(offline, ("config", "me/bert"), ("model", "me/bert"))
    assert cached == config
    assert absent.startswith("UserError: candidate 'me/bert': no such folder here, and the hub cannot be reached")

    (model,) = outcomes(environment, ("model", "me/bert", "main"))
    assert {path.name for path in Path(model).iterdir()} == {path.name for path in Path(config).iterdir()}
    assert load_file(Path(model) / "model.safetensors").keys() == load_file(folder / "model.safetensors").keys()
    unwanted = [path for path in hub.asked if path.endswith((".bin", ".py", "fp16.safetensors", "onnx/config.json"))]
    assert unwanted == []

    asked = len(hub.asked)
    down = environment | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    for without in (offline, down):
        assert outcomes(without, ("model", "me/bert"), ("model", "me/bert", COMMIT)) == [model, model]
    assert len(hub.asked) == asked


def test_what_cannot_be_had_is_one_clear_problem(
    hub: Hub, environment: dict[str, str], encoder: Encoder, tmp_path: Path
) -> None:
    hub.folders["me/bert"] = hub.folders[GATED_FILES] = encoder("bert")
    hub.folders["me/flax"] = tmp_path / "flax"
    (tmp_path / "flax").mkdir()
    (tmp_path / "flax" / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "flax" / "flax_model.msgpack").write_bytes(b"")
    gated, files, missing, private, revision, form, broken, flax = outcomes(
        environment,
        ("model", "me/gated"),
        ("model", GATED_FILES),
        ("model", "me/none"),
        ("config", "me/private"),
        ("model", "me/bert", "v9"),
        ("model", "no/such/folder"),
        ("model", "me/broken"),
        ("model", "me/flax"),
    )
    for problem, name in ((gated, "me/gated"), (files, GATED_FILES)):
        assert problem.startswith(f"UserError: candidate '{name}': the repository is gated")
        assert "set HF_TOKEN" in problem
    for problem, name in ((missing, "me/none"), (form, "no/such/folder")):
        assert problem.startswith(f"UserError: candidate '{name}': no such folder here, and no such repository")
        assert "a private repository needs HF_TOKEN" in problem
    assert private.startswith("UserError: candidate 'me/private': the hub answered: Client error '401")
    assert "a private repository needs a token" in private
    assert revision == "UserError: candidate 'me/bert': the repository has no revision 'v9'"
    assert broken.startswith("UserError: candidate 'me/broken': the hub answered: Server error '503")
    assert broken.endswith("try again later")
    assert flax.startswith("UserError: candidate 'me/flax': no weights in ")

    offline = environment | {"HF_HUB_OFFLINE": "1"}
    down = environment | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    for without in (offline, down):
        (problem,) = outcomes(without, ("model", "me/none"))
        assert problem.startswith("UserError: candidate 'me/none': no such folder here, and the hub cannot be reached")
        assert "HF_HUB_OFFLINE=1" in problem


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


def test_a_folder_that_is_no_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the folder has no config\.json"):
        fetch_config(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"no weights in .*\n  looked for model\.safetensors"):
        fetch_model(str(tmp_path))


def test_a_home_that_cannot_be_written_is_explained(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = encoder("bert")
    pickled(folder)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"candidate '.*': Not a directory: .*file/moodline"):
        fetch_model(str(folder))


def test_a_folders_version_is_its_content_and_not_its_place(tmp_path: Path) -> None:
    one = save_encoder("bert", tmp_path / "one")
    two = Path(shutil.copytree(one, tmp_path / "two"))
    assert model_version(one) == model_version(two)
    assert model_version(save_encoder("bert", tmp_path / "three", seed=1)) != model_version(one)


def test_a_hub_snapshots_version_is_its_commit(tmp_path: Path) -> None:
    assert model_version(save_encoder("bert", tmp_path / "snapshots" / "0123abc")) == "0123abc"
