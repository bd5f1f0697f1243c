"""The tiny models that are shipped: what transformers loads, what their tokenizers keep, and what they have learnt."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.demo_models.masked_lms import ENCODERS
from benchmarks.demo_models.pretraining_texts import diary_lines
from benchmarks.demo_models.stand_in_lm import prompt_settings
from stages.demo.corpus import LABELS, LANGUAGES, SMALL, make_corpus
from stages.demo.make_demo import MODELS
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.local.local_labeller import LocalLabeller

TEXTS = {"ko": ["진짜 개꿀잼이네 눈물 난다", "ㅋㅋ"], "en": ["this banger has me in tears fr", "lol"]}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest, language: str) -> Path:
    return MODELS / language / str(request.param)


def test_an_encoder_loads_with_the_auto_classes_and_classifies(encoder: Path, language: str) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    assert model.config.model_type == encoder.name
    assert (encoder / "model.safetensors").exists()
    batch = tokenizer(TEXTS[language], padding=True, return_tensors="pt")
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    assert logits.shape == (2, 4)


def test_an_encoder_takes_texts_as_long_as_its_tokenizer_says(encoder: Path, language: str) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    batch = tokenizer(TEXTS[language][0] * 100, truncation=True, return_tensors="pt")
    assert batch["input_ids"].shape == (1, tokenizer.model_max_length)
    assert model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.isfinite().all()


def test_an_encoder_has_masked_tokens_of_comments_among_its_first_guesses(encoder: Path, language: str) -> None:
    """Of 2,000 tokens, far more often among its first ten than among the ten commonest."""
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(encoder), AutoTokenizer.from_pretrained(encoder)
    texts = [comment.text for comment in make_corpus(language, 14, SMALL).comments if comment.text]
    batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    ids = batch["input_ids"]
    targets = torch.arange(ids.shape[1]).expand_as(ids) == batch["attention_mask"].sum(dim=1, keepdim=True) // 2
    with torch.no_grad():
        masked = ids.where(~targets, tokenizer.mask_token_id)
        logits = model(input_ids=masked, attention_mask=batch["attention_mask"]).logits[targets]
    true = ids[targets]
    right = (logits.topk(10).indices == true[:, None]).any(dim=1).sum()
    commonest = true.unique(return_counts=True)[1].topk(10).values.sum()
    assert right > 1.5 * commonest


@pytest.mark.parametrize("kind", [*ENCODERS, "gemma"])
def test_text_comes_back_from_its_tokens(kind: str, language: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / language / kind)
    ids = tokenizer(TEXTS[language][0])["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert str(tokenizer.decode(ids, skip_special_tokens=True)).strip() == TEXTS[language][0]


def test_the_stand_in_answers_the_labellers_prompt(language: str) -> None:
    folder = MODELS / language / "gemma"
    assert AutoModelForCausalLM.from_pretrained(folder).config.model_type == "gemma3_text"
    settings = LabellerSettings(model=str(folder), prompt=prompt_settings(language))
    answers = dict(LocalLabeller(settings, LABELS, "cpu").answer(TEXTS[language]))
    assert set(answers) == {0, 1}
    assert all(len(answer.probabilities or ()) == len(LABELS) for answer in answers.values())


def test_the_stand_in_labels_lines_of_other_diaries(language: str) -> None:
    settings = LabellerSettings(
        model=str(MODELS / language / "gemma"), dtype="float32", prompt=prompt_settings(language)
    )
    rows = diary_lines(language, 14, 100)
    answers = dict(LocalLabeller(settings, LABELS, "cpu").answer([row.text for row in rows]))
    right = sum(LABELS[answers[i].label or 0] == row.label for i, row in enumerate(rows))
    assert right > 90
