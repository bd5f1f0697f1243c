"""Which words and emoji are distinctive of each emotion: over the whole time and in outlier periods, against other
emotions and against other times. Texts come in batches; of them only the words are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.monitor.analysis.outlier_periods import OutlierPeriod
from stages.monitor.schema.index_settings import Every, WordsSettings
from transfer.text.cleaning import key_hash
from transfer.text.log_odds_words import FEWEST_TEXTS, log_odds, words_and_emoji

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Against = Literal["emotions", "times"]

LEAST_Z = 2.576  # below, chance would do it once in two hundred words, of which there are thousands
LONGEST_EXAMPLE = 160  # letters


@dataclass(frozen=True)
class Word:
    """n: authors who use it in comments of that emotion and period, each counted once. z: see log_odds."""

    text: str
    n: int
    z: float


@dataclass(frozen=True)
class PeriodWords:
    """The words of one label, in an outlier period or, for None, over the whole time. against: the other
    emotions of that period, or the same emotion at other times. Strongest first."""

    period: OutlierPeriod | None
    label: str
    against: Against
    words: tuple[Word, ...]

    @property
    def every(self) -> Every | None:
        return self.period.every if self.period else None

    @property
    def start(self) -> date | None:
        return self.period.start if self.period else None


@dataclass(frozen=True)
class Words:
    """periods: the outlier periods. lists: all lists of words that are not empty. examples: comments by (place among
    periods, label), cleaned, without author; empty unless the plan allows them. read: comments that words are of."""

    periods: tuple[OutlierPeriod, ...]
    lists: tuple[PeriodWords, ...]
    examples: dict[tuple[int, str], tuple[str, ...]]
    read: int

    def of(self, period: OutlierPeriod | None, label: str, against: Against) -> tuple[Word, ...]:
        found = (t.words for t in self.lists if (t.period, t.label, t.against) == (period, label, against))
        return next(found, ())


def distinctive_words(
    sample: pa.Table,
    texts: Iterable[tuple[Sequence[str], Sequence[str]]],
    labels: Sequence[str],
    periods: Sequence[OutlierPeriod],
    settings: WordsSettings,
) -> Words:
    """sample: of sample_comments, with a column in_I for each of `periods`. texts: (ids, cleaned texts), of these
    comments among others; one that does not hash to its comment's key is another, and left out.

    A word counts once for each author in each emotion and period, so that one author's favourite word is not a
    day's; one that fewer than FEWEST_TEXTS authors use may be a name, and is left out.
    """
    tokens = _Tokens(sample, texts, keeps_texts=settings.examples > 0)
    label_of = sample.column("label").to_numpy()
    of_all = sample.column("of_all").to_numpy(zero_copy_only=False)
    lists, examples = list[PeriodWords](), dict[tuple[int, str], tuple[str, ...]]()
    for k, label in enumerate(labels):
        is_label = label_of == k
        words = tokens.distinctive(of_all & is_label, of_all & ~is_label, settings.most)
        lists.append(PeriodWords(None, label, "emotions", words))
        for i, period in enumerate(periods):
            within = sample.column(f"in_{i}").to_numpy(zero_copy_only=False)
            own = within & is_label
            words = tokens.distinctive(own, within & ~is_label, settings.most)
            news = tokens.distinctive(own, of_all & is_label & ~within, settings.most)
            lists += [PeriodWords(period, label, "emotions", words), PeriodWords(period, label, "times", news)]
            if settings.examples:
                examples[i, label] = tokens.examples(own, [*words, *news], settings.examples)
    found = tuple(one for one in lists if one.words)
    return Words(tuple(periods), found, {at: some for at, some in examples.items() if some}, int(tokens.is_read.sum()))


class _Tokens:
    """Which comment has which word: two columns of numbers, and the words by their numbers."""

    def __init__(
        self, sample: pa.Table, texts: Iterable[tuple[Sequence[str], Sequence[str]]], keeps_texts: bool
    ) -> None:
        self.sample, self.is_read = sample, np.zeros(len(sample), bool)
        self.texts: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._voice = np.unique(sample.column("voice").to_numpy(), return_inverse=True)[1]
        comments, words = list[int](), list[int]()
        for comment, text in self._found(texts):
            if keeps_texts:
                self.texts[comment] = text
            held = [self._numbers.setdefault(word, len(self._numbers)) for word in sorted(words_and_emoji(text))]
            comments += [comment] * len(held)
            words += held
        self._comments, self._words = np.array(comments, np.int64), np.array(words, np.int64)
        self.names = np.array(list(self._numbers), dtype=object)

    def _found(self, texts: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Iterable[tuple[int, str]]:
        """(place in the sample, text) of each that is the comment of its id, once."""
        ids, keys = self.sample.column("id").to_pylist(), self.sample.column("key").to_numpy()
        places = {identity: place for place, identity in reversed(list(enumerate(ids)))}
        for some, found in texts:
            for identity, text in zip(some, found, strict=True):
                place = places.get(identity)
                if place is not None and not self.is_read[place] and keys[place] == _key(text):
                    self.is_read[place] = True
                    yield place, text

    def _counts(self, rows: Mask) -> NDArray[np.float64]:
        """(V,): authors who use each word in these comments."""
        held = rows[self._comments]
        size = max(len(self.names), 1)
        pairs = np.unique(self._voice[self._comments[held]] * size + self._words[held])
        return np.bincount(pairs % size, minlength=len(self.names)).astype(np.float64)

    def distinctive(self, own: Mask, others: Mask, most: int) -> tuple[Word, ...]:
        """The words that are distinctive of some comments against others, strongest first."""
        n, rest = self._counts(own), self._counts(others)
        if not n.sum() or not rest.sum():
            return ()
        there = np.flatnonzero(n + rest)
        z = log_odds(n[there], rest[there])
        kept = np.flatnonzero((n[there] >= FEWEST_TEXTS) & (z >= LEAST_Z)).tolist()
        kept.sort(key=lambda i: (-z[i], self.names[there[i]]))
        return tuple(Word(str(self.names[there[i]]), int(n[there[i]]), float(z[i])) for i in kept[:most])

    def examples(self, rows: Mask, words: Sequence[Word], most: int) -> tuple[str, ...]:
        """Comments with the most of these words, of different authors and texts."""
        weights = {word.text: word.z for word in words}
        sure = self.sample.column("sure").to_numpy()
        scored = sorted(
            (-sum(weights.get(word, 0.0) for word in words_and_emoji(self.texts[i])), -float(sure[i]), self.texts[i], i)
            for i in np.flatnonzero(rows).tolist()
            if i in self.texts and len(self.texts[i]) <= LONGEST_EXAMPLE
        )
        near, voices, found = set[object](), set[int](), list[str]()
        for score, _, text, i in scored:
            same = self.sample.column("near")[i].as_py() or text
            if score < 0 and same not in near and int(self._voice[i]) not in voices and len(found) < most:
                near.add(same)
                voices.add(int(self._voice[i]))
                found.append(text)
        return tuple(found)


def _key(text: str) -> int:
    return int.from_bytes(bytes.fromhex(key_hash(text)), "big", signed=True)
