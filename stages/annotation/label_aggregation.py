"""Label aggregation: what several annotators make of one sample, a label and a weight a row, and how far they agree."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from stages.results.annotation_result import AnnotatorAgreement
from stages.results.stage_result import Interval
from storage.records.annotations import Annotation
from transfer.corpus.stratified_sampling import StratifiedSample
from transfer.metrics.bootstrap import bootstrap_interval


class GoldRow(NamedTuple):
    """A row of the gold file. id: of the comment. weight: 1 / inclusion probability."""

    id: str
    text: str
    label: str
    weight: float


def gold_rows(sample: StratifiedSample, answers: Sequence[Annotation]) -> tuple[list[GoldRow], int]:
    """A row for each text with a label, and on how many texts annotators disagree.

    The label is most annotators' one; of a tie, that of whoever has labelled most.
    """
    votes: dict[str, list[Annotation]] = defaultdict(list)
    for answer in answers:
        if answer.label is not None:
            votes[answer.key].append(answer)
    diligence = Counter(vote.annotator for own in votes.values() for vote in own)
    labels = {key: _majority(own, diligence) for key, own in votes.items()}
    weights = row_weights(sample, {answer.key for answer in answers}, labels)
    first = {row.key: row for row in reversed(sample.rows)}
    rows = [GoldRow(first[key].id, first[key].text, labels[key], weight) for key, weight in weights.items()]
    return rows, sum(len({vote.label for vote in own}) > 1 for own in votes.values())


def row_weights(sample: StratifiedSample, answered: set[str], labels: Mapping[str, str]) -> dict[str, float]:
    """Weight by key: how many comments a labelled text stands for, 1 / inclusion probability of each of its rows.

    Rows up to the last one answered are a stratified sample, whoever stops where: of the N comments of a stratum, n
    have a label, so each stands for N / n (Cochran, Sampling Techniques, 1977, section 5.3). A text that was sampled
    several times has the weights of all its rows. Strata without a label are shared out among the others.
    """
    first = {row.key: i for i, row in reversed(list(enumerate(sample.rows)))}
    last = max((first[key] for key in answered if key in first), default=-1)
    rows = [row for row in sample.rows[: last + 1] if row.key in labels]
    counts = Counter(row.stratum for row in rows)
    covered = sum(sample.totals[stratum] for stratum in counts)
    scale = sum(sample.totals.values()) / covered if covered else 0.0
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        weights[row.key] += scale * sample.totals[row.stratum] / counts[row.stratum]
    return dict(weights)


def agreements(
    sample: StratifiedSample, answers: Sequence[Annotation], labels: Sequence[str], seed: int
) -> list[AnnotatorAgreement]:
    given: dict[str, dict[str, str]] = defaultdict(dict)  # label by annotator and key
    for answer in answers:
        if answer.label is not None:
            given[answer.annotator][answer.key] = answer.label
    found = []
    for one, other in combinations(sorted(given), 2):
        both = {key: label for key, label in given[one].items() if key in given[other]}
        weights = row_weights(sample, set(both), both)
        if weights:
            a, b = (
                np.array([labels.index(given[who][key]) for key in weights], dtype=np.int64) for who in (one, other)
            )
            mass = np.array(list(weights.values()))
            kappa = Interval.of(bootstrap_interval("kappa", a, b, len(labels), seed=seed, weights=mass))
            accuracy = float(np.average(a == b, weights=mass))
            found.append(AnnotatorAgreement(annotators=[one, other], n=len(weights), accuracy=accuracy, kappa=kappa))
    return found


def _majority(votes: Sequence[Annotation], diligence: Counter[str]) -> str:
    """diligence: how many texts each annotator has labelled."""
    counts = Counter(vote.label for vote in votes)
    ranked = sorted(votes, key=lambda vote: (-counts[vote.label], -diligence[vote.annotator], vote.annotator))
    return str(ranked[0].label)
