"""Asking labellers about comments so that nothing is asked twice, whatever ends the asking."""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from stages.label.labeller_ensemble import LabellerEnsemble, together
from stages.runtime.progress import Advance
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, add_labels, labels_of, register_labeller
from transfer.labellers.labeller import Answer, Labeller, mean_answer
from transfer.labellers.labeller_settings import Prices

STAGE = "label"
CHUNK = 256  # comments that a local model is asked about together
MOST_WAITING = 2.0  # seconds between two writes to the store, however slow it is: what a kill can cost
Pairs = Sequence[tuple[str, str]]


def ask_all(run: Run, panels: list[LabellerEnsemble], wanted: Pairs) -> int:
    """Asks every labeller what it has not answered, one after the other, and averages; returns how many were asked.

    panels: emptied, so that no two models are in memory at a time.
    """
    identities, asked = [panel.identity for panel in panels], 0
    while panels:
        panel = panels.pop(0)
        asked += _ask_panel(run, panel, wanted)
        del panel
        gc.collect()  # a model's last reference may be a circle's
    combine(run, identities, [key for key, _ in wanted])
    return asked


def combine(run: Run, identities: Sequence[str], keys: Sequence[str]) -> None:
    """Keeps the mean of several labellers' answers for each comment that all of them have answered.

    It is a labeller of its own in the store, known to it already.
    """
    if len(identities) == 1:
        return
    whole = together(identities)
    known = {row.key for row in labels_of(run.engine, whole, keys)}
    left = [key for key in keys if key not in known]
    for start in range(0, len(left), CHUNK):
        chunk = left[start : start + CHUNK]
        answers: dict[str, list[LabelRow]] = defaultdict(list)
        for identity in identities:
            for row in labels_of(run.engine, identity, chunk):
                answers[row.key].append(row)
        complete = [rows for rows in answers.values() if len(rows) == len(identities)]
        add_labels(run.engine, whole, [_mean(whole, rows, len(run.plan.labels)) for rows in complete])


def _ask_panel(run: Run, panel: LabellerEnsemble, wanted: Pairs) -> int:
    """Asks each way in turn. What all of them have answered is averaged, also where a fault ends the asking."""
    register_labeller(run.engine, panel.identity, panel.description)
    asked = 0
    try:
        for i, way in enumerate(panel.ways):
            register_labeller(run.engine, way.identity, panel.described(way))
            known = {row.key for row in labels_of(run.engine, way.identity, [key for key, _ in wanted])}
            which = f"{panel.name}" + (f", prompt {i + 1} of {len(panel.ways)}" if len(panel.ways) > 1 else "")
            run.report.message(f"{STAGE}: {which}: {len(known)} labelled before, {len(wanted) - len(known)} to ask")
            _ask(run, way, wanted, known, panel.settings.prices)
            asked += len(wanted) - len(known)
    finally:
        combine(run, [way.identity for way in panel.ways], [key for key, _ in wanted])
    return asked


def _ask(run: Run, way: Labeller, wanted: Pairs, known: set[str], prices: Prices | None) -> None:
    """Asks for what is missing; each answer is in the store moments after it came, whatever happens next.

    A local model's figures depend, in their last digits, on the texts that are read together. It is therefore asked
    about fixed chunks, each whole again where one text of it is missing: a killed run ends with the same figures.
    A server is asked about the missing alone, since that costs, and about all of it at once, so that one answer that
    hangs keeps no others waiting.
    """
    missing = [(key, text) for key, text in wanted if key not in known]
    with run.report.bar("labelling", len(missing), "comments") as advance:
        if way.description["kind"] == "server":
            _keep(run, way, missing, prices, advance)
            return
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            if any(key not in known for key, _ in chunk):
                _keep(run, way, chunk, prices, advance)


def _keep(run: Run, way: Labeller, asked: Pairs, prices: Prices | None, advance: Advance) -> None:
    """Answers are written as they come; where the store is slow, with pauses as long as its writes take."""
    waiting: list[LabelRow] = []
    kept_at, took = time.monotonic(), 0.0

    def write() -> None:
        share = round((time.monotonic() - kept_at) / max(len(waiting), 1), 6)  # a workbook holds 16 digits
        add_labels(run.engine, way.identity, [replace(row, seconds=share) for row in waiting])

    try:
        for row in _answers(way, asked, prices):
            waiting.append(row)
            advance(1)
            began = time.monotonic()
            if began - kept_at >= min(took, MOST_WAITING):
                write()
                waiting, kept_at = [], time.monotonic()
                took = kept_at - began
    finally:
        write()


def _answers(way: Labeller, asked: Pairs, prices: Prices | None) -> Iterator[LabelRow]:
    for i, answer in way.answer([text for _, text in asked]):
        costs = prices is not None and answer.tokens > 0
        yield _row(
            asked[i][0],
            way.identity,
            answer,
            written=answer.written,
            cost=prices.of(answer.tokens, answer.written) if prices and costs else None,
            currency=prices.currency if prices and costs else None,
        )


def _row(key: str, labeller: str, answer: Answer, **measured: Any) -> LabelRow:
    probabilities = None if answer.probabilities is None else list(answer.probabilities)
    now = datetime.now(UTC)
    return LabelRow(key, labeller, probabilities, answer.label, answer.raw, answer.tokens, now, **measured)


def _mean(whole: str, rows: Sequence[LabelRow], k: int) -> LabelRow:
    answers = [
        Answer(None if row.probabilities is None else tuple(row.probabilities), row.label, None, row.tokens)
        for row in rows
    ]
    answer, agreement = mean_answer(answers, k)
    currencies = {row.currency for row in rows if row.cost is not None}
    return _row(
        rows[0].key,
        whole,
        answer,
        agreement=agreement,
        seconds=_sum([row.seconds for row in rows]),
        written=sum(row.written or 0 for row in rows),
        cost=_sum([row.cost for row in rows]) if len(currencies) == 1 else None,
        currency=currencies.pop() if len(currencies) == 1 else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
