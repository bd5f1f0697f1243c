"""How the demo's tiny models are made: their texts, their word vectors, and that training teaches them something."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmarks import make_demo_models
from benchmarks.demo_models import masked_lms, stand_in_lm
from benchmarks.demo_models.masked_lms import make_encoder
from benchmarks.demo_models.pmi_embeddings import token_vectors
from benchmarks.demo_models.pretraining_texts import augmented, diary_lines, unlabelled_texts
from benchmarks.demo_models.stand_in_lm import make_stand_in, prompt_settings
from benchmarks.demo_models.tiny_tokenizers import word_pieces
from benchmarks.demo_models.training_loop import one_thread
from stages.demo.corpus import FULL, LABELS, SMALL, Comment, Row, make_corpus
from stages.demo.make_demo import MODELS
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.local.local_labeller import LocalLabeller
from transfer.text.cleaning import clean, key


@pytest.fixture(scope="module")
def diary() -> list[Row]:
    return diary_lines("ko", 13, 240)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_encoders_read_no_text_of_gold(language: str) -> None:
    corpus = make_corpus(language, 13, FULL)
    read = {key(clean(text)) for text in unlabelled_texts(corpus, language, 13)}
    assert not read & {key(clean(comment.text or "")) for comment, _ in corpus.gold}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_stand_in_lm_is_trained_on_other_texts_than_the_comments(language: str) -> None:
    lines = {key(clean(row.text)) for row in diary_lines(language, 13, make_demo_models.DIARY)}
    long = [comment for comment in make_corpus(language, 13, FULL).comments if _words(comment) >= 3]
    assert sum(key(clean(comment.text or "")) in lines for comment in long) < 0.005 * len(long)


def _words(comment: Comment) -> int:
    return len((comment.text or "").split())


def test_augmented_texts_are_uneven_and_keep_their_labels(diary: list[Row]) -> None:
    rows = augmented(diary, "ko", random.Random(1))
    assert len(rows) > len(diary)
    extra = len(rows) - len(diary)
    for label in LABELS:
        before = sum(row.label == label for row in diary)
        assert sum(row.label == label for row in rows) == before + (extra if label == "neutral" else 0)
    assert len({row.text for row in rows} - {row.text for row in diary}) > len(diary) // 2


def test_words_of_like_neighbours_begin_alike() -> None:
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


@pytest.mark.parametrize("kind", masked_lms.ENCODERS)
def test_the_same_texts_give_the_same_encoder(kind: str, tmp_path: Path) -> None:
    texts = unlabelled_texts(make_corpus("ko", 13, SMALL), "ko", 13)
    training = replace(masked_lms.TRAINING, steps=3, batch=16)
    with torch.random.fork_rng(devices=[]), one_thread():
        for name in ("one", "two"):
            make_encoder(kind, texts, tmp_path / name, training, vocabulary=600, hidden=32)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_stand_in_learns_its_texts(diary: list[Row], tmp_path: Path) -> None:
    training = replace(stand_in_lm.TRAINING, steps=150, batch=32)
    with torch.random.fork_rng(devices=[]), one_thread():
        make_stand_in(diary, "ko", tmp_path, training, vocabulary=600, hidden=64)
    settings = LabellerSettings(model=str(tmp_path), dtype="float32", prompt=prompt_settings("ko"))
    rows = diary[:100]
    answers = dict(LocalLabeller(settings, LABELS, "cpu").answer([row.text for row in rows]))
    right = sum(LABELS[answers[i].label or 0] == row.label for i, row in enumerate(rows))
    assert right > 70


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_script_makes_the_models_that_are_shipped(language: str, tmp_path: Path) -> None:
    """Tokenizers to the byte; weights nearly, for another processor adds up in another order."""
    with torch.random.fork_rng(devices=[]):
        make_demo_models.make_models(language, tmp_path)
    for folder in (MODELS / language).iterdir():
        made = tmp_path / folder.name
        assert (made / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()
        weights, shipped = load_file(made / "model.safetensors"), load_file(folder / "model.safetensors")
        assert weights.keys() == shipped.keys()
        assert all(torch.allclose(weights[name], shipped[name], rtol=0, atol=0.05) for name in shipped)
