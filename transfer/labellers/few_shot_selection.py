"""A prompt's examples selected from labelled rows: at random, diverse, or most similar to the comment."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from transfer.labellers.few_shot_examples import Example, FewShotExamples, FixedExamples, SampledExamples, others

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

# Rows that are compared with one another or with comments; of more a random sample is taken.
MOST_COMPARED = 20_000
# Character n-grams within words, so that Korean particles and endings do not hide the stem that two comments share.
NGRAMS = (2, 4)
# Comments compared with the pool at a time: memory is this times the pool, in float64.
BLOCK = 256


def sample_examples(how: SampledExamples, rows: Sequence[Example], labels: Sequence[str], seed: int) -> FewShotExamples:
    """Examples from `rows`, decided by the seed and the rows alone, whatever their order.

    fixed: rows in the order of a seeded hash, so that rows which come later mostly change nothing.
    diverse: the rows next to the centres of k-means clusters of their TF-IDF vectors, label by label unless `count`
    is given (Zhang et al. 2023, Automatic Chain of Thought Prompting, arXiv 2210.03493, section 4.1).
    nearest: see NearestExamples.
    Of a label with fewer rows than wanted, all are shown. Labels alternate, in their order.
    """

    def rank(row: Example) -> bytes:
        return hashlib.blake2b(f"{seed}\t{row.label}\t{row.text}".encode(), digest_size=16).digest()

    shuffled = sorted(set(rows), key=rank)
    if how.how == "nearest":
        return NearestExamples(tuple(shuffled[:MOST_COMPARED]), how, tuple(labels))
    parts = [shuffled] if how.of_each is None else [[row for row in shuffled if row.label == label] for label in labels]
    n = how.of_each or how.count or 0
    if how.how == "diverse":
        parts = [_diverse(part[:MOST_COMPARED], n, seed) for part in parts]
    return FixedExamples([part[i] for i in range(n) for part in parts if i < len(part)])


@dataclass(frozen=True)
class NearestExamples:
    """See FewShotExamples: for each comment the rows most similar to it, by the cosine of TF-IDF vectors of n-grams.

    With `count` the most similar of all; else the most similar of each label. The most similar stands last.
    Liu et al. 2022, What Makes Good In-Context Examples for GPT-3?, arXiv 2101.06804.
    """

    pool: tuple[Example, ...]
    how: SampledExamples
    labels: tuple[str, ...]

    @property
    def metadata(self) -> Mapping[str, object]:
        lines = "".join(f"{example.label}\t{example.text}\n" for example in self.pool)
        return {
            "examples": {
                **self.how.model_dump(exclude_none=True),
                "rows": len(self.pool),
                "content": hashlib.sha256(lines.encode()).hexdigest(),
                "similarity": f"tf-idf, char_wb {NGRAMS[0]} to {NGRAMS[1]}",
            }
        }

    def for_texts(self, texts: Sequence[str]) -> list[tuple[Example, ...]]:
        found: list[tuple[Example, ...]] = []
        for start in range(0, len(texts), BLOCK):
            block = list(texts[start : start + BLOCK])
            similarity = (self._vectorizer.transform(block) @ self._vectors.T).toarray()  # (B, N), cosines
            found += [self._nearest(text, row) for text, row in zip(block, similarity, strict=True)]
        return found

    def _nearest(self, text: str, similarity: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[Example, ...]:
        n, taken = self.how.of_each, dict.fromkeys(self.labels, 0)
        selected: list[Example] = []
        for i in np.argsort(-similarity, kind="stable"):
            row = self.pool[i]
            if (n is not None and taken[row.label] >= n) or not others([row], text):
                continue
            selected.append(row)
            taken[row.label] += 1
            if len(selected) == (self.how.count or (n or 0) * len(self.labels)):
                break
        return tuple(reversed(selected))

    @cached_property
    def _vectorizer(self) -> "TfidfVectorizer":
        return _fitted([row.text for row in self.pool])

    @cached_property
    def _vectors(self) -> "csr_matrix":
        return self._vectorizer.transform([row.text for row in self.pool])


def _diverse(rows: Sequence[Example], n: int, seed: int) -> list[Example]:
    from sklearn.cluster import KMeans

    if len(rows) <= n:
        return list(rows)
    texts = [row.text for row in rows]
    vectors = _fitted(texts).transform(texts)
    distances = KMeans(n, random_state=seed, n_init=3).fit(vectors).transform(vectors)  # (N, n)
    selected: dict[int, Example] = {}
    for column in distances.T:
        i = next(int(i) for i in np.argsort(column, kind="stable") if i not in selected)
        selected[i] = rows[i]
    return list(selected.values())


def _fitted(texts: Sequence[str]) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=NGRAMS, sublinear_tf=True).fit(texts)
