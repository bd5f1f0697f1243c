"""A local LM tuned to label: soft prompts and LoRA learn with labelling's own scores, and change nothing else."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.tiny_lms import save_lm
from transfer.errors import UserError
from transfer.labellers.label_likelihood import encode_shared, label_scores, traced_scores
from transfer.labellers.labeller_settings import LabellerSettings, TuningSettings, check_labeller
from transfer.labellers.local_labeller import LocalLabeller
from transfer.labellers.peft_adapter import WEIGHTS, Adapter, Attached, new_adapter
from transfer.labellers.peft_tuning import Rows, tune

LABELS = ("anger", "sadness", "happiness")
TEXTS = ["what a lovely day", "", "이 영화 정말 최고예요 " * 4, "so bad " * 12, "x"]
TOLERANCE = 1e-4
LORA = {"kind": "lora", "rank": 4, "learning_rate": 0.02, "epochs": 4, "batch": 8}
SOFT = {"kind": "prompt", "virtual_tokens": 8, "learning_rate": 0.3, "epochs": 4, "batch": 8}
Lm = Callable[[str], Path]


@pytest.fixture(scope="session")
def lm(tmp_path_factory: pytest.TempPathFactory) -> Lm:
    """The folder of a tiny model, made once."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = save_lm(tmp_path_factory.mktemp(kind), kind, chat=kind == "gemma3")
        return made[kind]

    return folder


def labeller_of(folder: Path, **given: object) -> LocalLabeller:
    short = {"prompt": {"instruction": "Judge."}}
    settings = LabellerSettings.model_validate({"model": str(folder), "dtype": "float32", **short, **given})
    return LocalLabeller(settings, LABELS, "cpu")


def easy(n: int, seed: int) -> Rows:
    """Texts of one letter each, which tells the label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(LABELS)
    return Rows(["aze"[label] * int(rng.integers(3, 12)) for label in labels], labels.astype(np.int64))


def loss_of(labeller: LocalLabeller, rows: Rows) -> float:
    answers = dict(labeller.answer(rows.texts))
    return float(-np.mean([np.log((answers[i].probabilities or ())[label]) for i, label in enumerate(rows.labels)]))


def probabilities(labeller: LocalLabeller, texts: Sequence[str]) -> torch.Tensor:
    found = dict(labeller.answer(texts))
    return torch.tensor([found[i].probabilities for i in range(len(texts))], dtype=torch.float64)


def with_adapter(labeller: LocalLabeller, kind: str) -> Attached:
    """An adapter that has learnt something: random numbers."""
    torch.manual_seed(1)
    task = labeller.task(["x"])
    settings = TuningSettings.model_validate({"kind": kind, "virtual_tokens": 5})
    attached = new_adapter(labeller.model, settings, task.words, labeller.settings.model or "")
    with torch.no_grad():
        for value in attached.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return attached


@pytest.mark.parametrize(
    ("kind", "adapter"),
    [
        *(("gemma3", "prompt"), ("gemma3", "lora")),
        *(("gpt2", "prompt"), ("gpt2", "lora")),
        ("bloom", "prompt"),
        ("mamba", "lora"),  # without a cache; a random one forgets what stands in front
    ],
)
def test_an_adapter_scores_as_peft_itself_reads_the_whole_text(lm: Lm, kind: str, adapter: str) -> None:
    labeller = labeller_of(lm(kind))
    plain = probabilities(labeller, TEXTS)
    attached = with_adapter(labeller, adapter)
    task = labeller.task(TEXTS, 5 if adapter == "prompt" else 0)
    shared = encode_shared(attached.model, task.beginning, attached.virtual)
    found = label_scores(attached.model, task.prompts, task.labels, shared)
    rows = [[_read_by_peft(attached, ids, label) for label in task.labels] for ids in task.prompts]
    whole = torch.tensor(rows, dtype=torch.float64)
    assert torch.allclose(found.double(), whole, atol=1e-3)
    assert (found.double().softmax(-1) - plain).abs().max() > 0.01  # the adapter matters, so a mistake would show
    traced = traced_scores(attached.model, task.prompts, task.labels, task.beginning, attached.virtual)
    assert torch.allclose(traced.detach().cpu(), found, atol=1e-3)


def _read_by_peft(attached: Attached, ids: Sequence[int], label: Sequence[int]) -> float:
    whole = torch.tensor([[*ids, *label]])
    with torch.inference_mode():
        logits = attached.wrapped(input_ids=whole, use_cache=False).logits.double().log_softmax(-1)
    at = logits[0, -len(label) - 1 : -1]
    return float(at.gather(-1, torch.tensor(label)[:, None]).sum())


@pytest.mark.parametrize("kind", ["gemma3", "mamba"])
@pytest.mark.parametrize("adapter", ["prompt", "lora"])
def test_gradients_pass_through_the_shared_beginning(lm: Lm, kind: str, adapter: str) -> None:
    labeller = labeller_of(lm(kind))
    attached = with_adapter(labeller, adapter)
    task = labeller.task(TEXTS[:2])

    def total(beginning: Sequence[int]) -> torch.Tensor:
        return traced_scores(attached.model, task.prompts, task.labels, beginning, attached.virtual).sum()

    shared = torch.autograd.grad(total(task.beginning), attached.parameters())
    alone = torch.autograd.grad(total(task.beginning[:1]), attached.parameters())  # nearly all is read with each text
    for one, other in zip(shared, alone, strict=True):
        assert torch.allclose(one, other, rtol=1e-2, atol=1e-2 * float(other.abs().max()))


@pytest.mark.parametrize("how", [LORA, SOFT], ids=["lora", "prompt"])
def test_tuning_lowers_the_loss_of_texts_that_it_has_not_seen(lm: Lm, tmp_path: Path, how: dict[str, Any]) -> None:
    labeller, held_out = labeller_of(lm("llama")), easy(24, 2)
    before = probabilities(labeller, TEXTS)
    went = tune(labeller, TuningSettings.model_validate(how), easy(96, 1), held_out, 0, tmp_path)
    tuned = labeller.adapted(tmp_path)
    assert went.plain_loss == pytest.approx(loss_of(labeller, held_out), rel=1e-4)
    assert went.losses[went.epoch - 1] == min(went.losses) < 0.6 * went.plain_loss
    assert loss_of(tuned, held_out) == pytest.approx(min(went.losses), rel=1e-3)  # what was validated is what labels
    assert torch.equal(probabilities(labeller, TEXTS), before)  # and the plain one is as it was
    kinds = {"adapter_config.json", WEIGHTS}
    assert {path.name for path in tmp_path.iterdir()} - {"README.md"} == kinds


def test_the_same_seed_learns_the_same_and_another_does_not(lm: Lm, tmp_path: Path) -> None:
    contents = []
    for i, seed in enumerate((0, 0, 1)):
        how = TuningSettings.model_validate({**LORA, "epochs": 1})
        tune(labeller_of(lm("llama")), how, easy(16, 1), easy(8, 2), seed, tmp_path / str(i))
        contents.append(Adapter.of(tmp_path / str(i)).content)
    assert contents[0] == contents[1] != contents[2]


def test_an_adapter_is_part_of_the_identity_and_where_it_lies_is_not(lm: Lm, tmp_path: Path) -> None:
    labeller = labeller_of(lm("llama"))
    with_adapter(labeller_of(lm("llama")), "prompt").save(tmp_path / "one")
    with_adapter(labeller_of(lm("llama")), "prompt").save(tmp_path / "elsewhere")
    with_adapter(labeller_of(lm("llama")), "lora").save(tmp_path / "other")
    one, same, other = (labeller.adapted(tmp_path / name).identity for name in ("one", "elsewhere", "other"))
    assert one == same
    assert len({one, other, labeller.identity}) == 3
    assert json.loads(json.dumps(labeller.adapted(tmp_path / "other").description))["adapter"]["kind"] == "lora"


@pytest.mark.parametrize("adapter", ["prompt", "lora"])
def test_with_an_adapter_an_answer_does_not_depend_on_the_company(lm: Lm, tmp_path: Path, adapter: str) -> None:
    with_adapter(labeller_of(lm("gemma3")), adapter).save(tmp_path)
    together = probabilities(labeller_of(lm("gemma3")).adapted(tmp_path), TEXTS)
    few_at_a_time = labeller_of(lm("gemma3"), batch_tokens=300).adapted(tmp_path)
    assert torch.allclose(together, probabilities(few_at_a_time, TEXTS[::-1]).flip(0), atol=TOLERANCE)


def test_a_soft_prompt_leaves_less_room_for_a_long_comment(lm: Lm, tmp_path: Path) -> None:
    labeller = labeller_of(lm("gpt2"), prompt={"instruction": "Judge.", "max_characters": 10_000})
    with_adapter(labeller_of(lm("gpt2")), "prompt").save(tmp_path)
    long = "가나다라" * 2_500
    (_, plain), *_ = labeller.answer([long])
    (_, soft), *_ = labeller.adapted(tmp_path).answer([long])
    assert 0 < plain.tokens - soft.tokens <= 8  # five virtual tokens; a character is up to three


def test_tuning_ends_when_held_out_texts_gain_nothing_more(lm: Lm, tmp_path: Path) -> None:
    learn = easy(24, 1)
    wrong = Rows(learn.texts, (learn.labels + 1) % len(LABELS))  # the better it learns, the worse it does here
    how = TuningSettings.model_validate({**LORA, "epochs": 30, "patience": 2})
    went = tune(labeller_of(lm("llama")), how, learn, wrong, 0, tmp_path)
    assert len(went.losses) == went.epoch + 2 < 30


def test_losses_that_are_no_numbers_leave_no_adapter(lm: Lm, tmp_path: Path) -> None:
    how = TuningSettings.model_validate({**LORA, "learning_rate": 1e25})
    went = tune(labeller_of(lm("llama")), how, easy(32, 1), easy(6, 2), 0, tmp_path / "none")
    assert went.epoch == 0
    assert went.as_dict()["losses"] == [None]
    with pytest.raises(UserError, match="no adapter here"):
        labeller_of(lm("llama")).adapted(tmp_path / "none")


def test_a_batch_too_large_for_the_device_learns_the_same(
    lm: Lm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = TuningSettings.model_validate({**LORA, "epochs": 1})
    expected = tune(labeller_of(lm("llama")), how, easy(16, 1), easy(6, 2), 0, tmp_path / "whole")

    def narrow(model: Any, prompts: Any, *rest: Any) -> torch.Tensor:
        if len(prompts) > 3:
            raise torch.OutOfMemoryError
        return traced_scores(model, prompts, *rest)

    monkeypatch.setattr("transfer.labellers.peft_tuning.traced_scores", narrow)
    told: list[str] = []
    found = tune(labeller_of(lm("llama")), how, easy(16, 1), easy(6, 2), 0, tmp_path / "parts", told.append)
    assert found.losses == pytest.approx(expected.losses, rel=1e-3)
    assert any("out of memory" in line for line in told)


def test_no_room_for_a_single_text_is_a_message(lm: Lm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transfer.labellers.peft_tuning.traced_scores", full)
    with pytest.raises(UserError, match=r"labeller\.tuning: .* has no room to learn from one text at a time"):
        tune(labeller_of(lm("llama")), TuningSettings.model_validate(LORA), easy(4, 1), easy(3, 2), 0, tmp_path)


def test_tuning_a_server_or_a_teacher_is_a_message() -> None:
    server = LabellerSettings.model_validate(
        {"model": "m", "base_url": "http://localhost/v1", "tuning": {}, "quantisation": "int8"}
    )
    told = [str(problem) for problem in check_labeller(server, LABELS)]
    assert [line.split(":")[0].rsplit(".", 1)[1] for line in told] == ["quantisation", "tuning"]
    half = LabellerSettings.model_validate({"model": "m", "dtype": "float16", "tuning": {}})
    assert "float16" in str(check_labeller(half, LABELS)[0])
