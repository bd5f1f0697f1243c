"""The labelling loop: queries labellers so that nothing is asked twice, however a run ends."""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from stages.label.labeller_ensemble import LabellerEnsemble, combined_identity
from stages.runtime.progress import Advance
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, add_labels, labels_of, register_labeller
from transfer.labellers.labeller import Answer, Labeller, mean_answer
from transfer.labellers.labeller_settings import Prices

CHUNK = 256  # comments that a local model is asked about together
MOST_WAITING = 2.0  # seconds between two writes to the store, however slow it is: what a kill can cost
Pairs = Sequence[tuple[str, str]]


def query_all(run: Run, ensembles: list[LabellerEnsemble], comments: Pairs) -> int:
    """Asks every labeller what it has not answered, one after the other, and averages; returns how many were asked.

    comments: (key, text). ensembles: emptied, so that no two models are in memory at a time.
    """
    identities, asked = [ensemble.identity for ensemble in ensembles], 0
    while ensembles:
        ensemble = ensembles.pop(0)
        asked += _query_ensemble(run, ensemble, comments)
        del ensemble
        gc.collect()  # the last reference to a model may be in a cycle
    keep_means(run, identities, [key for key, _ in comments])
    return asked


def keep_means(run: Run, identities: Sequence[str], keys: Sequence[str]) -> None:
    """Keeps the mean of several labellers' answers to each comment that all of them have answered.

    It is a labeller of its own in the store, registered already.
    """
    if len(identities) == 1:
        return
    combined = combined_identity(identities)
    known = {row.key for row in labels_of(run.engine, combined, keys)}
    missing = [key for key in keys if key not in known]
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        answers: dict[str, list[LabelRow]] = defaultdict(list)
        for identity in identities:
            for row in labels_of(run.engine, identity, chunk):
                answers[row.key].append(row)
        complete = [rows for rows in answers.values() if len(rows) == len(identities)]
        add_labels(run.engine, combined, [_mean(combined, rows, len(run.plan.labels)) for rows in complete])


def _query_ensemble(run: Run, ensemble: LabellerEnsemble, comments: Pairs) -> int:
    """Queries each prompt variant in turn. What all have answered is averaged, also where a fault ends the loop."""
    register_labeller(run.engine, ensemble.identity, ensemble.description)
    keys, n, asked = [key for key, _ in comments], len(ensemble.variants), 0
    try:
        for i, variant in enumerate(ensemble.variants, 1):
            register_labeller(run.engine, variant.identity, ensemble.description_of(variant))
            known = {row.key for row in labels_of(run.engine, variant.identity, keys)}
            name = ensemble.name + (f", prompt {i} of {n}" if n > 1 else "")
            run.report.message(f"label: {name}: {len(known)} labelled before, {len(keys) - len(known)} to ask")
            _query(run, variant, comments, known, ensemble.settings.prices)
            asked += len(keys) - len(known)
    finally:
        keep_means(run, [variant.identity for variant in ensemble.variants], keys)
    return asked


def _query(run: Run, labeller: Labeller, comments: Pairs, known: set[str], prices: Prices | None) -> None:
    """Asks for what is missing; each answer is in the store moments after it came, whatever happens next.

    A local model's figures depend, in their last digits, on the texts that are read together. It is therefore asked
    about fixed chunks, each whole again where one text of it is missing: a killed run ends with the same figures.
    A server is asked about the missing alone, since that costs, and about all of it at once, so that one answer that
    hangs keeps no others waiting.
    """
    missing = [(key, text) for key, text in comments if key not in known]
    with run.report.bar("labelling", len(missing), "comments") as advance:
        if labeller.description["kind"] == "server":
            _keep(run, labeller, missing, prices, advance)
            return
        for start in range(0, len(comments), CHUNK):
            chunk = comments[start : start + CHUNK]
            if any(key not in known for key, _ in chunk):
                _keep(run, labeller, chunk, prices, advance)


def _keep(run: Run, labeller: Labeller, comments: Pairs, prices: Prices | None, advance: Advance) -> None:
    """Answers are written as they come; where the store is slow, with pauses as long as its writes take."""
    waiting: list[LabelRow] = []
    kept_at, took = time.monotonic(), 0.0

    def write() -> None:
        share = round((time.monotonic() - kept_at) / max(len(waiting), 1), 6)  # a workbook holds 16 digits
        add_labels(run.engine, labeller.identity, [replace(row, seconds=share) for row in waiting])

    try:
        for row in _answers(labeller, comments, prices):
            waiting.append(row)
            advance(1)
            began = time.monotonic()
            if began - kept_at >= min(took, MOST_WAITING):
                write()
                waiting, kept_at = [], time.monotonic()
                took = kept_at - began
    finally:
        write()


def _answers(labeller: Labeller, comments: Pairs, prices: Prices | None) -> Iterator[LabelRow]:
    for i, answer in labeller.answer([text for _, text in comments]):
        known = prices if answer.tokens > 0 else None
        cost = known and known.of(answer.tokens, answer.written)
        currency = known and known.currency
        yield _row(comments[i][0], labeller.identity, answer, written=answer.written, cost=cost, currency=currency)


def _row(key: str, labeller: str, answer: Answer, **measured: Any) -> LabelRow:
    probabilities = None if answer.probabilities is None else list(answer.probabilities)
    now = datetime.now(UTC)
    return LabelRow(key, labeller, probabilities, answer.label, answer.raw, answer.tokens, now, **measured)


def _mean(labeller: str, rows: Sequence[LabelRow], k: int) -> LabelRow:
    """What `labeller`, the combination, answers where its members answered `rows`. k: number of labels."""
    answers = [
        Answer(None if row.probabilities is None else tuple(row.probabilities), row.label, None, row.tokens)
        for row in rows
    ]
    answer, agreement = mean_answer(answers, k)
    currencies = {row.currency for row in rows if row.cost is not None}
    has_one = len(currencies) == 1
    return _row(
        rows[0].key,
        labeller,
        answer,
        agreement=agreement,
        seconds=_sum([row.seconds for row in rows]),
        written=sum(row.written or 0 for row in rows),
        cost=_sum([row.cost for row in rows]) if has_one else None,
        currency=currencies.pop() if has_one else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
