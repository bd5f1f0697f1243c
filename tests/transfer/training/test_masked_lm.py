"""Adapting learns the texts' language, resumes to the last bit, and keeps what is not the encoder."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, Encoder, easy_texts
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.errors import UserError
from transfer.training.checkpoint import restore_checkpoint, save_checkpoint
from transfer.training.masked_lm import AdaptationSettings, DomainAdaptation, load_masked_lm, save_adapted, take_encoder

HOW = AdaptationSettings(steps=12, batch_size=8, learning_rate=3e-3, max_length=32)
TEXTS = easy_texts(80, seed=3)[0]


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


def begin(folder: Path, how: AdaptationSettings = HOW, seed: int = 1) -> DomainAdaptation:
    model, tokenizer = load_masked_lm(folder, seed)
    torch.seed()
    return DomainAdaptation(model, tokenizer, TEXTS, how, seed)


def weights(tuning: DomainAdaptation) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("mask", ["token", "word"])
def test_every_architecture_learns_to_fill_in_what_is_masked(encoder: Encoder, kind: str, mask: str) -> None:
    tuning = begin(encoder(kind), replace(HOW, steps=40, mask=mask))  # type: ignore[arg-type]
    before = tuning.held_out_loss()
    assert tuning.held_out_loss() == before  # masked alike at every call
    heard: list[int] = []
    tuning.run(heard.append)
    assert len(heard) == 40
    assert tuning.held_out_loss() < before - 0.3


def test_whole_words_are_masked_whole(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(HOW, mask="word", share=0.3))
    tokenizer = tuning.tokenizer
    texts = ["furiously unhappyday"] * 60  # several pieces each
    batch = tuning._masked(tuning._features(texts), 0)
    pieces = [tokenizer.convert_ids_to_tokens(ids) for ids in tuning.tokenizer(texts)["input_ids"]]
    words = [[i for i, piece in enumerate(row) if piece.startswith("##")] for row in pieces]
    assert words[0]
    for row, inner in enumerate(words):
        masked = (batch["labels"][row] != -100).tolist()
        assert all(masked[i] == masked[i - 1] for i in inner)
    assert (batch["labels"] != -100).any()


def test_special_tokens_and_padding_are_never_masked(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(HOW, share=0.5))
    batch = tuning._masked(tuning._features(["so", *TEXTS[:20]]), 0)
    special = set(tuning.tokenizer.all_special_ids) - {tuning.tokenizer.unk_token_id}
    assert not {i for i in batch["labels"].flatten().tolist() if i != -100} & special


@pytest.mark.parametrize("mask", ["token", "word"])
def test_an_adaptation_killed_often_ends_as_one_that_ran_through(encoder: Encoder, tmp_path: Path, mask: str) -> None:
    how = replace(HOW, mask=mask)  # type: ignore[arg-type]
    through = begin(encoder("bert"), how)
    through.run()
    for _ in range(5):  # killed at every third step
        tuning = begin(encoder("bert"), how)
        restore_checkpoint(tmp_path / "checkpoint", tuning)
        steps = 0

        def step(_: int, tuning: DomainAdaptation = tuning) -> None:
            nonlocal steps
            steps += 1
            if steps == 3:
                save_checkpoint(tmp_path / "checkpoint", tuning, {})
                raise KilledError

        with suppress(KilledError):
            tuning.run(step)
    assert tuning.is_done
    assert same(weights(tuning), weights(through))
    assert tuning.loss == through.loss
    other = begin(encoder("bert"), how, seed=2)
    other.run()
    assert not same(weights(other), weights(through))


def test_a_limit_of_time_ends_it_and_counts_what_was_spent_before(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(HOW, seconds=1e-9))
    tuning.run()
    assert tuning.step == 1
    resumed = begin(encoder("bert"), replace(HOW, seconds=100.0))
    resumed.spent = 100.0
    assert resumed.is_done


def test_few_tokens_at_a_time_give_the_same_loss(encoder: Encoder) -> None:
    whole, small = begin(encoder("bert")), begin(encoder("bert"))
    small.memory.tokens = 20
    assert small.held_out_loss() == pytest.approx(whole.held_out_loss(), rel=1e-5)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_an_adapted_encoder_is_loaded_with_a_fresh_head(encoder: Encoder, tmp_path: Path, kind: str) -> None:
    folder = encoder(kind)
    tuning = begin(folder)
    tuning.run()
    save_adapted(tuning.model, folder, classifies=False, folder=tmp_path / "adapted")
    loaded = load_classifier(tmp_path / "adapted", LABELS, seed=4)
    adapted = tuning.model.base_model.state_dict()
    body = loaded.base_model.state_dict()
    assert all(torch.equal(body[name], adapted[name]) for name in adapted)
    assert len(load_tokenizer(str(tmp_path / "adapted"))) == len(load_tokenizer(str(folder)))
    original = load_classifier(folder, LABELS, seed=4).base_model.state_dict()
    assert not all(torch.equal(original[name], adapted[name]) for name in adapted)
    saved = load_file(tmp_path / "adapted" / "model.safetensors")
    kept = load_file(folder / "model.safetensors")
    assert any("pooler" in name for name in saved) == any("pooler" in name for name in kept)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_a_classifiers_head_and_pooler_outlive_the_adaptation(encoder: Encoder, tmp_path: Path, kind: str) -> None:
    folder, winner = encoder(kind), tmp_path / "winner"
    classifier = load_classifier(folder, LABELS, seed=9)
    with torch.no_grad():
        for value in classifier.parameters():
            value.add_(0.01)
    classifier.save_pretrained(winner)
    load_tokenizer(str(folder)).save_pretrained(winner)
    tuning = begin(folder)
    take_encoder(tuning.model, winner)
    began = {name: value.clone() for name, value in tuning.model.base_model.state_dict().items()}
    assert all(torch.equal(began[name], classifier.base_model.state_dict()[name]) for name in began)
    tuning.run()
    save_adapted(tuning.model, winner, classifies=True, folder=tmp_path / "adapted")
    loaded = load_classifier(tmp_path / "adapted", LABELS, seed=1).state_dict()
    before, adapted = classifier.state_dict(), tuning.model.base_model.state_dict()
    for name in before:
        inner = name.removeprefix(f"{kind}.")
        expected = adapted[inner] if name.startswith(f"{kind}.") and inner in adapted else before[name]
        assert torch.equal(loaded[name], expected), name
    assert not torch.equal(
        before[f"{kind}.embeddings.word_embeddings.weight"], adapted["embeddings.word_embeddings.weight"]
    )


def test_a_tokenizer_without_a_mask_is_told(encoder: Encoder) -> None:
    from tests.helpers.tiny_encoders import bare_words

    folder = encoder("bert")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    bare_words().save_pretrained(folder)
    with pytest.raises(UserError, match="no mask"):
        load_masked_lm(folder, seed=1)
