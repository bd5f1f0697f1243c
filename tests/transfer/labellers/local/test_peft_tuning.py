"""A local LM tuned to label: soft prompts and LoRA learn with labelling's own scores, and change nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.adapted_lms import LABELS, TEXTS, MakeLm, labeller_of, probabilities, with_adapter
from transfer.errors import UserError
from transfer.labellers.labeller_settings import LabellerSettings, TuningSettings, check_labeller
from transfer.labellers.local.label_likelihood import traced_scores
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.labellers.local.peft_adapter import WEIGHTS, Adapter
from transfer.labellers.local.peft_tuning import Rows, tune

TOLERANCE = 1e-4
LORA = {"kind": "lora", "rank": 4, "learning_rate": 0.02, "epochs": 4, "batch": 8}
SOFT = {"kind": "prompt", "virtual_tokens": 8, "learning_rate": 0.3, "epochs": 4, "batch": 8}


def easy(n: int, seed: int) -> Rows:
    """Texts of one letter each, which tells the label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(LABELS)
    return Rows(["aze"[label] * int(rng.integers(3, 12)) for label in labels], labels.astype(np.int64))


def loss_of(labeller: LocalLabeller, rows: Rows) -> float:
    answers = dict(labeller.answer(rows.texts))
    return float(-np.mean([np.log((answers[i].probabilities or ())[label]) for i, label in enumerate(rows.labels)]))


@pytest.mark.parametrize("how", [LORA, SOFT], ids=["lora", "prompt"])
def test_tuning_lowers_the_loss_of_texts_that_it_has_not_seen(
    tunable_lm: MakeLm, tmp_path: Path, how: dict[str, Any]
) -> None:
    labeller, held_out = labeller_of(tunable_lm("llama")), easy(24, 2)
    before = probabilities(labeller, TEXTS)
    went = tune(labeller, TuningSettings.model_validate(how), easy(96, 1), held_out, 0, tmp_path)
    tuned = labeller.adapted(tmp_path)
    assert went.plain_loss == pytest.approx(loss_of(labeller, held_out), rel=1e-4)
    assert went.losses[went.epoch - 1] == min(went.losses) < 0.6 * went.plain_loss
    assert loss_of(tuned, held_out) == pytest.approx(min(went.losses), rel=1e-3)  # what was validated is what labels
    assert torch.equal(probabilities(labeller, TEXTS), before)  # and the plain one is as it was
    kinds = {"adapter_config.json", WEIGHTS}
    assert {path.name for path in tmp_path.iterdir()} - {"README.md"} == kinds


def test_the_same_seed_learns_the_same_and_another_does_not(tunable_lm: MakeLm, tmp_path: Path) -> None:
    contents = []
    for i, seed in enumerate((0, 0, 1)):
        how = TuningSettings.model_validate({**LORA, "epochs": 1})
        tune(labeller_of(tunable_lm("llama")), how, easy(16, 1), easy(8, 2), seed, tmp_path / str(i))
        contents.append(Adapter.of(tmp_path / str(i)).content)
    assert contents[0] == contents[1] != contents[2]


def test_an_adapter_is_part_of_the_identity_and_where_it_lies_is_not(tunable_lm: MakeLm, tmp_path: Path) -> None:
    labeller = labeller_of(tunable_lm("llama"))
    with_adapter(labeller_of(tunable_lm("llama")), "prompt").save(tmp_path / "one")
    with_adapter(labeller_of(tunable_lm("llama")), "prompt").save(tmp_path / "elsewhere")
    with_adapter(labeller_of(tunable_lm("llama")), "lora").save(tmp_path / "other")
    one, same, other = (labeller.adapted(tmp_path / name).identity for name in ("one", "elsewhere", "other"))
    assert one == same
    assert len({one, other, labeller.identity}) == 3
    assert json.loads(json.dumps(labeller.adapted(tmp_path / "other").description))["adapter"]["kind"] == "lora"


@pytest.mark.parametrize("adapter", ["prompt", "lora"])
def test_with_an_adapter_an_answer_does_not_depend_on_the_company(
    tunable_lm: MakeLm, tmp_path: Path, adapter: str
) -> None:
    with_adapter(labeller_of(tunable_lm("gemma3")), adapter).save(tmp_path)
    together = probabilities(labeller_of(tunable_lm("gemma3")).adapted(tmp_path), TEXTS)
    few_at_a_time = labeller_of(tunable_lm("gemma3"), batch_tokens=300).adapted(tmp_path)
    assert torch.allclose(together, probabilities(few_at_a_time, TEXTS[::-1]).flip(0), atol=TOLERANCE)


def test_a_soft_prompt_leaves_less_room_for_a_long_comment(tunable_lm: MakeLm, tmp_path: Path) -> None:
    labeller = labeller_of(tunable_lm("gpt2"), prompt={"instruction": "Judge.", "max_characters": 10_000})
    with_adapter(labeller_of(tunable_lm("gpt2")), "prompt").save(tmp_path)
    long = "가나다라" * 2_500
    (_, plain), *_ = labeller.answer([long])
    (_, soft), *_ = labeller.adapted(tmp_path).answer([long])
    assert 0 < plain.tokens - soft.tokens <= 8  # five virtual tokens; a character is up to three


def test_tuning_ends_when_held_out_texts_gain_nothing_more(tunable_lm: MakeLm, tmp_path: Path) -> None:
    learn = easy(24, 1)
    wrong = Rows(learn.texts, (learn.labels + 1) % len(LABELS))  # the better it learns, the worse it does here
    how = TuningSettings.model_validate({**LORA, "epochs": 30, "patience": 2})
    went = tune(labeller_of(tunable_lm("llama")), how, learn, wrong, 0, tmp_path)
    assert len(went.losses) == went.epoch + 2 < 30


def test_losses_that_are_no_numbers_leave_no_adapter(tunable_lm: MakeLm, tmp_path: Path) -> None:
    how = TuningSettings.model_validate({**LORA, "learning_rate": 1e25})
    went = tune(labeller_of(tunable_lm("llama")), how, easy(32, 1), easy(6, 2), 0, tmp_path / "none")
    assert went.epoch == 0
    assert went.as_dict()["losses"] == [None]
    with pytest.raises(UserError, match="no adapter here"):
        labeller_of(tunable_lm("llama")).adapted(tmp_path / "none")


def test_a_batch_too_large_for_the_device_learns_the_same(
    tunable_lm: MakeLm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = TuningSettings.model_validate({**LORA, "epochs": 1})
    expected = tune(labeller_of(tunable_lm("llama")), how, easy(16, 1), easy(6, 2), 0, tmp_path / "whole")

    def narrow(model: Any, prompts: Any, *rest: Any) -> torch.Tensor:
        if len(prompts) > 3:
            raise torch.OutOfMemoryError
        return traced_scores(model, prompts, *rest)

    monkeypatch.setattr("transfer.labellers.local.peft_tuning.traced_scores", narrow)
    result: list[str] = []
    found = tune(labeller_of(tunable_lm("llama")), how, easy(16, 1), easy(6, 2), 0, tmp_path / "parts", result.append)
    assert found.losses == pytest.approx(expected.losses, rel=1e-3)
    assert any("out of memory" in line for line in result)


def test_no_room_for_a_single_text_is_a_message(
    tunable_lm: MakeLm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transfer.labellers.local.peft_tuning.traced_scores", full)
    with pytest.raises(UserError, match=r"labeller\.tuning: .* has no room to learn from one text at a time"):
        tune(labeller_of(tunable_lm("llama")), TuningSettings.model_validate(LORA), easy(4, 1), easy(3, 2), 0, tmp_path)


def test_tuning_a_server_or_a_teacher_is_a_message() -> None:
    server = LabellerSettings.model_validate(
        {"model": "m", "base_url": "http://localhost/v1", "tuning": {}, "quantisation": "int8"}
    )
    result = [str(problem) for problem in check_labeller(server, LABELS)]
    assert [line.split(":")[0].rsplit(".", 1)[1] for line in result] == ["quantisation", "tuning"]
    half = LabellerSettings.model_validate({"model": "m", "dtype": "float16", "tuning": {}})
    assert "float16" in str(check_labeller(half, LABELS)[0])
