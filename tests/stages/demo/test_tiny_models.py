"""The demo's tiny models: what transformers loads, what their tokenizers keep, and that they learn."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from stages.demo.corpus import LABELS, Corpus
from stages.demo.demo_size import SMALL
from stages.demo.pmi_embeddings import token_vectors
from stages.demo.pretraining import one_thread
from stages.demo.text_augmentation import unsettled
from stages.demo.tiny_encoders import ENCODERS
from stages.demo.tiny_lm import make_llm, prompt_settings
from stages.demo.tiny_tokenizers import word_pieces
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.local_labeller import LocalLabeller

KOREAN = "진짜 개꿀잼이네 눈물 난다"


@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_loads_with_the_auto_classes_and_classifies(world: Path, kind: str) -> None:
    folder = world / "models" / kind
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.model_type == kind
    assert (folder / "model.safetensors").exists()
    batch = tokenizer([KOREAN, "ㅋㅋ"], padding=True, return_tensors="pt")
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    assert logits.shape == (2, 4)


@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_takes_texts_as_long_as_its_tokenizer_says(world: Path, kind: str) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(world / "models" / kind, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(world / "models" / kind)
    batch = tokenizer(KOREAN * 100, truncation=True, return_tensors="pt")
    assert batch["input_ids"].shape == (1, tokenizer.model_max_length)
    assert model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.isfinite().all()


@pytest.mark.parametrize("kind", [*ENCODERS, "gemma"])
def test_korean_comes_back_from_its_tokens(world: Path, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(world / "models" / kind)
    ids = tokenizer(KOREAN)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert str(tokenizer.decode(ids, skip_special_tokens=True)).strip() == KOREAN


def test_the_stand_in_answers_the_labellers_prompt(world: Path) -> None:
    folder = world / "models" / "gemma"
    assert AutoModelForCausalLM.from_pretrained(folder).config.model_type == "gemma3_text"
    settings = LabellerSettings(model=str(folder), prompt=prompt_settings("ko"))
    answers = dict(LocalLabeller(settings, LABELS, "cpu").answer([KOREAN, "ㅠㅠ"]))
    assert set(answers) == {0, 1}
    assert all(len(answer.probabilities or ()) == len(LABELS) for answer in answers.values())


def test_the_stand_in_learns_its_lessons(corpus: Corpus, tmp_path: Path) -> None:
    size = replace(SMALL, schooling=150, batch=32, hidden=64)
    with torch.random.fork_rng(devices=[]), one_thread():
        make_llm(corpus.diary, "ko", tmp_path, 13, size)
    settings = LabellerSettings(model=str(tmp_path), dtype="float32", prompt=prompt_settings("ko"))
    rows = corpus.diary[:100]
    answers = dict(LocalLabeller(settings, LABELS, "cpu").answer([row.text for row in rows]))
    right = sum(LABELS[answers[i].label or 0] == row.label for i, row in enumerate(rows))
    assert right > 70


def test_words_of_like_company_begin_alike() -> None:
    rng = random.Random(1)
    sweet, sour = ["apple", "pear", "plum"], ["lemon", "lime", "sloe"]
    texts = [f"{rng.choice(sweet)} tastes sweet" for _ in range(200)] + [
        f"{rng.choice(sour)} bites sour" for _ in range(200)
    ]
    tokenizer = word_pieces(texts, 200)
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    vectors = token_vectors(ids, len(tokenizer), 4)
    apple, pear, lemon = (vectors[tokenizer.convert_tokens_to_ids(word)] for word in ("apple", "pear", "lemon"))
    assert torch.cosine_similarity(apple, pear, dim=0) > torch.cosine_similarity(apple, lemon, dim=0) + 0.3


def test_lessons_are_uneven_and_keep_their_labels(corpus: Corpus) -> None:
    lessons = unsettled(corpus.diary, "ko", random.Random(1))
    assert len(lessons) > len(corpus.diary)
    extra = len(lessons) - len(corpus.diary)
    for label in LABELS:
        before = sum(row.label == label for row in corpus.diary)
        assert sum(row.label == label for row in lessons) == before + (extra if label == "neutral" else 0)
    assert len({row.text for row in lessons} - {row.text for row in corpus.diary}) > len(corpus.diary) // 2
