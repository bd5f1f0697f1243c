"""Models come through the ordinary hub client, pickled ones are converted, and what cannot come is explained."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.helpers.fetching import outcomes
from tests.helpers.model_hub import COMMIT, GATED_FILES, Hub
from tests.helpers.tiny_encoders import Encoder, save_encoder
from transfer.encoders.hub import fetch_config, fetch_model, model_version
from transfer.errors import UserError


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


def test_a_folder_that_is_no_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the folder has no config\.json"):
        fetch_config(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"no weights in .*\n  looked for model\.safetensors"):
        fetch_model(str(tmp_path))


def test_a_folders_version_is_its_content_and_not_its_place(tmp_path: Path) -> None:
    one = save_encoder("bert", tmp_path / "one")
    two = Path(shutil.copytree(one, tmp_path / "two"))
    assert model_version(one) == model_version(two)
    assert model_version(save_encoder("bert", tmp_path / "three", seed=1)) != model_version(one)


def test_a_hub_snapshots_version_is_its_commit(tmp_path: Path) -> None:
    assert model_version(save_encoder("bert", tmp_path / "snapshots" / "0123abc")) == "0123abc"
