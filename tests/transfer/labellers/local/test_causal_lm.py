"""How a causal LM is found, and in which dtype it is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.helpers.local_labellers import TEXTS, labeller_of, probabilities
from transfer.errors import UserError
from transfer.labellers.local import causal_lm as lm_module


def test_bfloat16_is_used_where_asked_for_and_stays_close(lm: Callable[..., Path], tmp_path: Path) -> None:
    folder = shutil.copytree(lm("llama", chat=True), tmp_path / "calm")
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    for weight in model.parameters():
        weight.data *= 0.3  # trained models are calmer than the wide random weights of these tests
    model.save_pretrained(folder)
    half = labeller_of(folder, dtype="bfloat16")
    assert torch.allclose(probabilities(half, TEXTS), probabilities(labeller_of(folder), TEXTS), atol=0.05)
    assert half.model.dtype == torch.bfloat16


def test_bfloat16_is_the_default_where_the_device_has_it_and_the_model_is_wide(
    lm: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    formats = {}
    for has, narrowest in ((True, 32), (False, 32), (True, 64)):  # the model is 32 wide
        monkeypatch.setattr(lm_module, "has_bf16", lambda device, has=has: has)
        monkeypatch.setattr(lm_module, "SMALLEST_BF16_WIDTH", narrowest)
        formats[has, narrowest] = labeller_of(lm("llama", chat=True), dtype="auto").model.dtype
    assert formats == {(True, 32): torch.bfloat16, (False, 32): torch.float32, (True, 64): torch.float32}


def test_a_model_that_is_nowhere_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as caught:
        labeller_of("nobody/no-such-lm")
    assert str(caught.value).startswith("pseudo_label.labeller.model: 'nobody/no-such-lm': no such folder here")
    assert "HF_HUB_OFFLINE" in str(caught.value)


def test_a_gated_model_is_a_message_that_names_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import GatedRepoError

    def refused(*_: object, **__: object) -> str:
        response: Any = SimpleNamespace(status_code=403, headers={}, request=None)
        raise GatedRepoError("gated", response=response)

    monkeypatch.setattr("huggingface_hub.snapshot_download", refused)
    with pytest.raises(UserError, match="HF_TOKEN"):
        labeller_of("google/gemma-3-4b-it")


def test_a_model_that_brings_its_own_code_is_refused(lm: Callable[..., Path], tmp_path: Path) -> None:
    folder = shutil.copytree(lm("llama", chat=True), tmp_path / "own")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match=r"labeller\.model: .*cannot read its config\.json"):
        labeller_of(folder)
    assert not (tmp_path / "ran").exists()
