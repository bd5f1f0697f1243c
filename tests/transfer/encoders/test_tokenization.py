"""Tokens are cut as the tokenizer itself would, cached by content, and batched within a budget."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from tests.helpers.tiny_encoders import bare_words, byte_pairs, easy_texts, word_pieces
from transfer.encoders.tokenization import Indices, Tokens, batches, encode, join, pad

TEXTS = [*easy_texts(30, 1)[0], "hm", "happy " * 60, "unseen 🙂 글자 letters"]
TOKENIZERS = [word_pieces, byte_pairs, bare_words]
Make = Callable[[], PreTrainedTokenizerBase]


def lists(tokens: Tokens) -> list[list[int]]:
    return [tokens[i].tolist() for i in range(len(tokens))]


def counted(tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each call of the tokenizer is given, from now on."""
    seen: list[int] = []
    kind = type(tokenizer)
    call = kind.__call__

    def spy(self: PreTrainedTokenizerBase, texts: str | list[str], **options: object) -> object:
        seen.append(1 if isinstance(texts, str) else len(texts))
        return call(self, texts, **options)

    monkeypatch.setattr(kind, "__call__", spy)
    return seen


@pytest.mark.parametrize("make", TOKENIZERS)
@pytest.mark.parametrize("length", [4, 9, 50])
def test_a_cut_text_is_what_the_tokenizer_would_have_made_of_it(make: Make, length: int) -> None:
    tokenizer = make()
    expected = tokenizer(TEXTS, truncation=True, max_length=length)["input_ids"]
    assert lists(encode(TEXTS, tokenizer, length)) == expected
    assert lists(encode(TEXTS, tokenizer, 64).cut(length)) == expected
    assert lists(encode(TEXTS, tokenizer, 64).cut(55).cut(length)) == expected


def test_a_cut_text_keeps_both_its_ends() -> None:
    tokenizer = word_pieces()
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    cut = encode(["happy " * 60], tokenizer, 64).cut(5)[0].tolist()
    assert cut == [first, *[tokenizer.convert_tokens_to_ids("happy")] * 3, last]


def test_taking_and_joining_keep_texts_whole_and_in_order() -> None:
    tokens = encode(TEXTS, word_pieces(), 64)
    taken = tokens.take(np.array([3, 0, 31]))
    assert lists(taken) == [lists(tokens)[i] for i in (3, 0, 31)]
    assert lists(join(taken, tokens)) == lists(taken) + lists(tokens)
    none = tokens.take(np.array([], dtype=np.int64))
    assert lists(join(none, taken)) == lists(join(taken, none)) == lists(taken)


def test_a_cached_corpus_is_not_tokenised_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = byte_pairs()
    first = encode(TEXTS, tokenizer, 16, tmp_path / "cache")
    seen = counted(tokenizer, monkeypatch)
    again = encode(TEXTS, tokenizer, 16, tmp_path / "cache")
    assert lists(again) == lists(first)
    assert (again.tail, again.pad_id) == (first.tail, first.pad_id)
    # The tokenizer's own state (a padding or truncation it was last asked for) is no part of its content.
    tokenizer(["a", "a b"], padding=True, truncation=True, max_length=7)
    encode(TEXTS, tokenizer, 16, tmp_path / "cache")
    assert max(seen) <= 2
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_the_cache_tells_texts_tokenizers_and_lengths_apart(tmp_path: Path) -> None:
    texts, pieces = ["so happy", "so sad"], word_pieces()
    cases = [
        (texts, pieces, 16),
        (texts[::-1], pieces, 16),
        (["so hap", "pyso sad"], pieces, 16),
        (texts, bare_words(), 16),
        (texts, pieces, 3),
    ]
    for some, tokenizer, length in cases:
        encode(some, tokenizer, length, tmp_path)
    assert len(list(tmp_path.iterdir())) == len(cases)
    for some, tokenizer, length in cases:
        assert lists(encode(some, tokenizer, length, tmp_path)) == lists(encode(some, tokenizer, length))


@pytest.mark.parametrize("damage", [b"", b"not Arrow at all", None])
def test_a_damaged_cache_file_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    tokenizer = word_pieces()
    good = lists(encode(TEXTS, tokenizer, 16, tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert lists(encode(TEXTS, tokenizer, 16, tmp_path)) == good
    assert file.read_bytes() == whole


@pytest.mark.parametrize("with_cache", [False, True])
def test_no_texts_are_no_tokens(tmp_path: Path, with_cache: bool) -> None:
    for _ in range(2):
        tokens = encode([], word_pieces(), 16, tmp_path if with_cache else None)
        assert len(tokens) == 0
        assert len(tokens.cut(8)) == 0
        assert list(batches(tokens.lengths, 100)) == []


@pytest.mark.parametrize("budget", [1, 37, 100, 10_000])
def test_batches_cover_every_text_once_within_the_budget(budget: int) -> None:
    lengths: Indices = np.random.default_rng(0).integers(1, 60, 200)
    made = list(batches(lengths, budget))
    assert sorted(np.concatenate(made).tolist()) == list(range(200))
    for rows in made:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget
    widths = [lengths[rows].max() for rows in made]
    assert widths == sorted(widths, reverse=True)


def test_a_batch_is_padded_to_its_longest_text() -> None:
    tokenizer = byte_pairs()
    ids, mask = pad(encode(["so happy", "so"], tokenizer, 16), np.array([1, 0]))
    expected = tokenizer(["so", "so happy"], padding=True, return_tensors="np")
    assert ids.tolist() == expected["input_ids"].tolist()
    assert mask.tolist() == expected["attention_mask"].tolist()
    assert tokenizer.pad_token_id in ids[0].tolist()


def test_batches_keep_to_the_budget_and_take_the_longest_first() -> None:
    found = [rows.tolist() for rows in batches(np.array([3, 10, 4, 50, 4]), 20)]
    assert found == [[3], [1, 2], [4, 0]]
    assert list(batches(np.array([], dtype=np.int64), 20)) == []
