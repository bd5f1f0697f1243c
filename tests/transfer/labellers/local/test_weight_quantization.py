"""Weights in fewer bits: close to the whole ones, in any company, and a message where they cannot be had."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.helpers.tiny_lms import save_lm
from transfer.errors import UserError
from transfer.labellers.labeller_settings import LabellerSettings, TuningSettings
from transfer.labellers.local import weight_quantization
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.labellers.local.peft_tuning import Rows, tune
from transfer.labellers.local.weight_quantization import quantised

LABELS = ("anger", "sadness", "happiness")
TEXTS = ["what a lovely day", "", "이 영화 정말 최고예요 " * 4, "so bad " * 12, "x"]
MOVES = 0.05  # how far rounding may move a probability


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model calmer than those of other tests, so that rounding its weights is as mild as in trained ones."""
    made = save_lm(tmp_path_factory.mktemp("lm"), "gemma3", chat=True)
    model: Any = AutoModelForCausalLM.from_pretrained(made)
    for weight in model.parameters():
        weight.data *= 0.3
    model.save_pretrained(made)
    return made


@pytest.fixture
def labeller_of(folder: Path) -> Callable[..., LocalLabeller]:
    def make(**given: object) -> LocalLabeller:
        settings = LabellerSettings.model_validate({"model": str(folder), "dtype": "float32", **given})
        return LocalLabeller(settings, LABELS, "cpu")

    return make


def probabilities(labeller: LocalLabeller, texts: Sequence[str]) -> torch.Tensor:
    found = dict(labeller.answer(texts))
    return torch.tensor([found[i].probabilities for i in range(len(texts))], dtype=torch.float64)


def test_rounded_weights_label_nearly_alike_and_in_any_company(labeller_of: Callable[..., LocalLabeller]) -> None:
    pytest.importorskip("torchao")
    whole, rounded = labeller_of(), labeller_of(quantisation="int8")
    found = probabilities(rounded, TEXTS)
    change = (found - probabilities(whole, TEXTS)).abs().max()
    assert 1e-5 < change < MOVES
    few_at_a_time = labeller_of(quantisation="int8", batch_tokens=300)
    assert torch.allclose(found, probabilities(few_at_a_time, TEXTS[::-1]).flip(0), atol=1e-4)
    assert rounded.identity != whole.identity
    assert rounded.description["quantisation"] == "int8"


@pytest.mark.parametrize("adapter", ["prompt", "lora"])
def test_an_adapter_learns_beside_rounded_weights(
    labeller_of: Callable[..., LocalLabeller], tmp_path: Path, adapter: str
) -> None:
    pytest.importorskip("torchao")
    rows = Rows(["a" * 9, "z" * 9, "e" * 9] * 4, np.arange(12, dtype=np.int64) % 3)
    how = TuningSettings.model_validate({"kind": adapter, "epochs": 3, "batch": 4, "learning_rate": 0.05})
    labeller = labeller_of(quantisation="int8")
    went = tune(labeller, how, rows, rows, 0, tmp_path)
    assert min(went.losses) < went.plain_loss
    found = probabilities(labeller.adapted(tmp_path), rows.texts)
    assert float(-found[torch.arange(12), torch.as_tensor(rows.labels)].log().mean()) == pytest.approx(
        min(went.losses), rel=1e-3
    )


def test_a_package_that_is_missing_is_a_message_that_names_the_extra(
    labeller_of: Callable[..., LocalLabeller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_quantization, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        dict(labeller_of(quantisation="4bit").answer(["x"]))
    assert "pseudo_label.labeller.quantisation: '4bit' needs bitsandbytes" in str(caught.value)
    assert "moodline[quantised]" in str(caught.value)


def test_a_device_that_lacks_it_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_quantization, "find_spec", lambda name: object())
    with pytest.raises(UserError, match="'int8' does not work on mps"):
        quantised("int8", "mps", torch.float32, "labeller")
    with pytest.raises(UserError, match="'4bit' does not work on cpu"):
        quantised("4bit", "cpu", torch.float32, "labeller")
    assert quantised("none", "mps", torch.float32, "labeller") == {}


def test_four_bits_are_asked_for_as_transformers_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_quantization, "find_spec", lambda name: object())
    given = quantised("4bit", "cuda:1", torch.bfloat16, "labeller")
    config = given["quantization_config"].to_dict()
    assert given["device_map"] == {"": "cuda:1"}
    assert (config["load_in_4bit"], config["bnb_4bit_quant_type"]) == (True, "nf4")
    assert config["bnb_4bit_compute_dtype"] == "bfloat16"  # transformers' own default is slow float32
