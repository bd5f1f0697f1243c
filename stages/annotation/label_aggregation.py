"""What several annotators make of one sample: one label and one weight a row, and how far people agree."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from storage.records.annotations import Annotation
from transfer.corpus.stratified_sampling import StratifiedSample
from transfer.metrics.bootstrap import bootstrap_interval


def gold_rows(draw: StratifiedSample, given: Sequence[Annotation]) -> tuple[list[tuple[str, str, str, float]], int]:
    """(id, text, label, weight) of each text with a label, and on how many texts annotators disagreed.

    The label is most annotators' one; of a tie, that of whoever has labelled most.
    """
    labels, disagreements = _decided(given)
    weights = row_weights(draw, {said.key for said in given}, labels)
    first = {row.key: row for row in reversed(draw.rows)}
    rows = [(first[key].id, first[key].text, labels[key], weight) for key, weight in weights.items()]
    return rows, disagreements


def row_weights(draw: StratifiedSample, answered: set[str], labels: Mapping[str, str]) -> dict[str, float]:
    """Weight by key: how many comments a labelled text stands for, 1 / inclusion probability of each of its rows.

    Rows up to the last one answered are a stratified sample, whoever stops where: of the N comments of a stratum, n
    have a label, so each stands for N / n (Cochran, Sampling Techniques, 1977, section 5.3). A text that was drawn
    several times has the weights of all its rows. Strata without a label are shared out among the others.
    """
    first = {row.key: i for i, row in reversed(list(enumerate(draw.rows)))}
    last = max((first[key] for key in answered if key in first), default=-1)
    rows = [row for row in draw.rows[: last + 1] if row.key in labels]
    counts = Counter(row.stratum for row in rows)
    covered = sum(draw.totals[stratum] for stratum in counts)
    scale = sum(draw.totals.values()) / covered if covered else 0.0
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        weights[row.key] += scale * draw.totals[row.stratum] / counts[row.stratum]
    return dict(weights)


def agreements(
    draw: StratifiedSample, given: Sequence[Annotation], labels: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """For each two annotators `annotators`, `n` (texts that both labelled), `accuracy` (share alike) and `kappa`
    (value, low, high, by the sample's weights; null where one label is all that both ever say)."""
    told: dict[str, dict[str, str]] = defaultdict(dict)
    for said in given:
        if said.label is not None:
            told[said.annotator][said.key] = said.label
    return [found for pair in combinations(sorted(told), 2) if (found := _between(draw, told, pair, labels, seed))]


def _between(
    draw: StratifiedSample,
    told: Mapping[str, Mapping[str, str]],
    pair: tuple[str, str],
    labels: Sequence[str],
    seed: int,
) -> dict[str, Any] | None:
    one, other = told[pair[0]], told[pair[1]]
    both = {key: one[key] for key in one if key in other}
    weights = row_weights(draw, set(both), both)
    if not weights:
        return None
    said = [np.array([labels.index(who[key]) for key in weights], dtype=np.int64) for who in (one, other)]
    mass = np.array(list(weights.values()))
    kappa = bootstrap_interval("kappa", said[0], said[1], len(labels), seed=seed, weights=mass)
    return {
        "annotators": list(pair),
        "n": len(weights),
        "accuracy": float(np.average(said[0] == said[1], weights=mass)),
        "kappa": None if np.isnan(kappa[0]) else dict(zip(("value", "low", "high"), kappa, strict=True)),
    }


def _decided(given: Sequence[Annotation]) -> tuple[dict[str, str], int]:
    busy = Counter(said.annotator for said in given if said.label is not None)
    votes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for said in given:
        if said.label is not None:
            votes[said.key].append((said.annotator, said.label))
    decided = {key: _most(cast, busy) for key, cast in votes.items()}
    return decided, sum(len({label for _, label in cast}) > 1 for cast in votes.values())


def _most(cast: Sequence[tuple[str, str]], busy: Counter[str]) -> str:
    counts = Counter(label for _, label in cast)
    ranked = sorted(cast, key=lambda vote: (-counts[vote[1]], -busy[vote[0]], vote[0]))
    return ranked[0][1]
