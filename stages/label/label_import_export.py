"""Pseudo-labels as a file: taken out of the store to look at or to pass on, and put into another one."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stages.datasets.original_and_gold import read_gold_rows
from stages.runtime.run_context import SAMPLES, Run
from storage.records.pseudo_labels import (
    MEASURED,
    LabelRow,
    add_labels,
    count_labels,
    labellers,
    labels_of,
    register_labeller,
)
from transfer.errors import UserError, UserErrors
from transfer.tables.spreadsheets import Row, check_format, read_sheet, write_sheet
from transfer.text.cleaning import clean_cell, key_hash

SHOWN = 10  # faulty rows that are told; the file's other faults are mostly the same
SUM_TOLERANCE = 1e-3  # what rounding to three or four digits leaves of a sum of 1
Described = dict[str, dict[str, Any]]


def labels_command(run: Run, source: Path | None, target: Path | None, encoding: str | None) -> dict[str, Any]:
    """What `moodline labels` does: import, export, both in this order, or a list where neither is asked for."""
    result: dict[str, Any] = {}
    if source is not None:
        result["imported"] = import_labels(run, source, encoding)
    if target is not None:
        result["exported"] = export_labels(run, target)
    return result | list_labels(run)


def list_labels(run: Run) -> dict[str, Any]:
    """`labellers` of the store: identity, what it is, how many comments it has answered, and whether its labels are
    the plan's."""
    return {
        "labellers": [
            {
                "identity": known.identity,
                "kind": known.description.get("kind"),
                "model": known.description.get("model"),
                "answers": count_labels(run.engine, known.identity),
                "fits": known.description.get("labels") == run.plan.labels,
                "since": known.created_at.isoformat(),
            }
            for known in labellers(run.engine)
        ]
    }


def export_labels(run: Run, path: Path) -> dict[str, Any]:
    """Writes every answer by a labeller with the plan's labels.

    Columns: key, text where it is known, labeller (identity), label, p_LABEL for each label, raw, tokens, created_at,
    agreement, seconds, written, cost and currency (see storage.records.pseudo_labels.LabelRow), and the labeller's
    description as JSON.

    Returns `file`, `rows` and `labellers`. Raises UserError where there is no answer.
    """
    check_format(path, "--export")
    known = [found for found in labellers(run.engine) if found.description.get("labels") == run.plan.labels]
    rows = [row for found in known for row in labels_of(run.engine, found.identity)]
    if not rows:
        raise UserError(
            "no labels to export: no labeller has answered with the plan's labels",
            f"label some comments first: moodline label {run.plan.file.name}",
        )
    described = {found.identity: json.dumps(found.description, ensure_ascii=False) for found in known}
    write_sheet(path, _columns(run, rows, described), "--export")
    return {"file": str(path), "rows": len(rows), "labellers": sorted({row.labeller for row in rows})}


def import_labels(run: Run, path: Path, encoding: str | None = None) -> dict[str, Any]:
    """Adds a file's answers under their labellers' identities; a comment that a labeller has answered keeps its answer.

    Needs the columns labeller, key or text, and label or p_LABEL for every label of the plan. All rows are looked at
    before one is added. Returns `file`, `rows`, `added` and `labellers`. Raises UserError for what does not fit.
    """
    header, rows = read_sheet(path, encoding, "--import")
    _check_header(header, run.plan.labels, path)
    found, problems = list[LabelRow](), list[str]()
    for number, row in enumerate(rows, 2):  # as a spreadsheet counts, the header is row 1
        try:
            found.append(_label_row(row, run.plan.labels))
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise UserErrors(f"{path.name}: {len(problems)} faulty rows; nothing was imported", [*problems[:SHOWN], *more])
    if not found:
        raise UserError(f"{path.name} has no rows")
    return {"file": str(path), "rows": len(found), **_add(run, found, _descriptions(rows, run.plan.labels))}


def _add(run: Run, rows: Sequence[LabelRow], described: Described) -> dict[str, Any]:
    added = 0
    for identity, description in described.items():
        register_labeller(run.engine, identity, description)
        added += add_labels(run.engine, identity, (row for row in rows if row.labeller == identity))
    return {"added": added, "labellers": sorted(described)}


def _columns(run: Run, rows: Sequence[LabelRow], described: Mapping[str, str]) -> dict[str, list[Any]]:
    texts, labels = _texts(run), run.plan.labels
    return {
        "key": [row.key for row in rows],
        "text": [texts.get(row.key) for row in rows],
        "labeller": [row.labeller for row in rows],
        "label": [None if row.label is None else labels[row.label] for row in rows],
        **{
            f"p_{label}": [None if row.probabilities is None else float(row.probabilities[k]) for row in rows]
            for k, label in enumerate(labels)
        },
        "raw": [row.raw for row in rows],
        "tokens": [row.tokens for row in rows],
        "created_at": [row.created_at for row in rows],
        **{name: [getattr(row, name) for row in rows] for name in MEASURED},
        "description": [described[row.labeller] for row in rows],
    }


def _texts(run: Run) -> dict[str, str]:
    """Text by key, of the comments that were drawn and of gold; the store itself keeps none."""
    found: dict[str, str] = {}
    for name in run.files.names(SAMPLES):
        table = pq.read_table(run.files.fetch(name))
        found |= dict(zip(table.column("key").to_pylist(), table.column("text").to_pylist(), strict=True))
    gold = read_gold_rows(run.plan)
    return found | (dict(zip(gold.keys, gold.texts, strict=True)) if gold else {})


def _check_header(header: Sequence[str], labels: Sequence[str], path: Path) -> None:
    there, wanted = {name for name in header if name.startswith("p_")}, {f"p_{label}" for label in labels}
    needed = "needed: labeller, key or text, and label or " + ", ".join(f"p_{label}" for label in labels)
    missing = [] if "labeller" in header else ["labeller"]
    missing += [] if {"key", "text"} & set(header) else ["key (or text)"]
    missing += [] if "label" in header or there else ["label"]
    missing += sorted(wanted - there) if there else []
    strange = sorted(there - wanted)
    if strange:
        raise UserError(
            f"{path.name}: {', '.join(strange)}: no such label in the plan", f"its labels: {', '.join(labels)}"
        )
    if missing:
        raise UserError(f"{path.name}: no column {', '.join(missing)}", f"its columns: {', '.join(header)}", needed)


def _label_row(row: Row, labels: Sequence[str]) -> LabelRow:
    """Raises ValueError, in words, for what is no answer."""
    labeller = (row.get("labeller") or "").strip()
    if not labeller:
        raise ValueError("no labeller")
    probabilities = _probabilities(row, labels)
    return LabelRow(
        key=_key(row),
        labeller=labeller,
        probabilities=probabilities,
        label=_label(row, labels, probabilities),
        raw=row.get("raw"),
        tokens=_tokens(row, "tokens") or 0,
        created_at=_time(row),
        agreement=_amount(row, "agreement"),
        seconds=_amount(row, "seconds"),
        written=_tokens(row, "written"),
        cost=_amount(row, "cost"),
        currency=row.get("currency") or None,
    )


def _key(row: Row) -> str:
    key = (row.get("key") or "").strip()
    if not key:
        text = clean_cell(row.get("text"))
        if not text:
            raise ValueError("neither a key nor a text")
        return key_hash(text)
    if len(key) != 16 or set(key) - set("0123456789abcdef"):
        raise ValueError(f"key {key!r} is no key: 16 hexadecimal digits, as export writes them; or give the text")
    return key


def _probabilities(row: Row, labels: Sequence[str]) -> list[float] | None:
    given = {label: row.get(f"p_{label}") for label in labels}
    if all(value is None for value in given.values()):
        return None
    values = [_probability(label, value) for label, value in given.items()]
    total = sum(values)
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(f"its probabilities sum to {total:.4g}, not to 1")
    return values if abs(total - 1) < 1e-9 else [value / total for value in values]


def _probability(label: str, given: str | None) -> float:
    try:
        value = float(given or "")
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:  # NaN, too
        raise ValueError(f"p_{label} is {given!r}, no number from 0 to 1; leave all empty where confidence is unknown")
    return value


def _label(row: Row, labels: Sequence[str], probabilities: Sequence[float] | None) -> int | None:
    likeliest = None if probabilities is None else max(range(len(labels)), key=probabilities.__getitem__)
    given = (row.get("label") or "").strip()
    if not given:
        return likeliest
    if given not in labels:
        raise ValueError(f"no label {given!r} in the plan; its labels: {', '.join(labels)}")
    label = labels.index(given)
    if probabilities is not None and probabilities[label] < max(probabilities):
        raise ValueError(f"its label is {given!r}, its likeliest one {labels[likeliest or 0]!r}")
    return label


def _tokens(row: Row, name: str) -> int | None:
    given = row.get(name)
    if not given:
        return None
    if not given.isdecimal():
        raise ValueError(f"{name} is {given!r}, no whole number")
    return int(given)


def _amount(row: Row, name: str) -> float | None:
    given = row.get(name)
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf or (name == "agreement" and value > 1):
        raise ValueError(f"{name} is {given!r}, no number that it can be")
    return value


def _time(row: Row) -> datetime:
    given = row.get("created_at")
    if given is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"created_at is {given!r}, no time as in 2024-03-01T09:05:00+00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _descriptions(rows: Sequence[Row], labels: Sequence[str]) -> Described:
    """What each labeller of a file says of itself; where it says nothing, that it came from a file."""
    found: Described = {}
    for row in rows:
        identity = (row.get("labeller") or "").strip()
        if identity not in found:
            found[identity] = _description(row.get("description"), labels)
    return found


def _description(told: str | None, labels: Sequence[str]) -> dict[str, Any]:
    try:
        read = json.loads(told or "null")
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {"kind": "imported", "model": None, "labels": list(labels)}
