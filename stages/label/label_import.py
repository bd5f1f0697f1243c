"""Pseudo-labels read from a file into the store: another store's export, or labels of the user's own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from stages.results.labels_command_result import ImportedLabels
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, add_labels, register_labeller
from transfer.errors import UserError, UserErrors
from transfer.tables.label_sheets import Row, read_sheet
from transfer.text.cleaning import clean_cell, key_hash

SHOWN = 10  # faulty rows that a message names; a file's other faults are mostly the same
SUM_TOLERANCE = 1e-3  # what rounding to three or four digits leaves of a sum of 1
DESCRIPTION = TypeAdapter(dict[str, Any])
ABSENT = {"labeller": "no labeller", "key": "neither a key nor a text"}
ADVICE = {
    "key": "not 16 hexadecimal digits, as export writes them; or give the text",
    "p": "no number from 0 to 1; leave all empty where confidence is unknown",
    "created_at": "no time as in 2024-03-01T09:05:00+00:00",
}

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Time = Annotated[datetime, AfterValidator(lambda time: time if time.tzinfo else time.replace(tzinfo=UTC))]


class _Answer(BaseModel):
    """A row of the file, but for its label. p: probability by label."""

    labeller: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    key: Annotated[str, StringConstraints(strip_whitespace=True, pattern="^[0-9a-f]{16}$")]
    p: dict[str, Share] | None = None
    raw: str | None = None
    tokens: Count = 0
    created_at: Time = Field(default_factory=lambda: datetime.now(UTC))
    agreement: Share | None = None
    seconds: Amount | None = None
    written: Count | None = None
    cost: Amount | None = None
    currency: str | None = None


def import_labels(run: Run, path: Path, encoding: str | None = None) -> ImportedLabels:
    """Adds a file's answers under their labellers' identities; a comment that a labeller has answered keeps its answer.

    Needs the columns labeller, key or text, and label or p_LABEL for every label of the plan. All rows are looked at
    before one is added. Raises UserError for what does not fit.
    """
    labels = run.plan.labels
    header, rows = read_sheet(path, encoding, "--import")
    _check_header(header, labels, path)
    found, problems = list[LabelRow](), list[str]()
    for number, row in enumerate(rows, 2):  # as a spreadsheet counts, the header is row 1
        try:
            found.append(_label_row(row, labels))
        except ValidationError as error:  # a ValueError, too
            problems.append(f"row {number}: {'; '.join(map(_in_words, error.errors()))}")
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise UserErrors(f"{path.name}: {len(problems)} faulty rows; nothing was imported", [*problems[:SHOWN], *more])
    if not found:
        raise UserError(f"{path.name} has no rows")
    identities = sorted({row.labeller for row in found})
    first = {label_row.labeller: row for label_row, row in reversed(list(zip(found, rows, strict=True)))}
    added = 0
    for identity in identities:
        register_labeller(run.engine, identity, _description(first[identity].get("description"), labels))
        added += add_labels(run.engine, identity, (row for row in found if row.labeller == identity))
    return ImportedLabels(file=str(path), rows=len(found), added=added, labellers=identities)


def _check_header(header: Sequence[str], labels: Sequence[str], path: Path) -> None:
    given, wanted = {name for name in header if name.startswith("p_")}, {f"p_{label}" for label in labels}
    if unknown := sorted(given - wanted):
        raise UserError(
            f"{path.name}: {', '.join(unknown)}: no such label in the plan", f"its labels: {', '.join(labels)}"
        )
    missing = [] if "labeller" in header else ["labeller"]
    missing += [] if {"key", "text"} & set(header) else ["key (or text)"]
    missing += [] if "label" in header or given else ["label"]
    missing += sorted(wanted - given) if given else []
    if missing:
        needed = "needed: labeller, key or text, and label or " + ", ".join(f"p_{label}" for label in labels)
        raise UserError(f"{path.name}: no column {', '.join(missing)}", f"its columns: {', '.join(header)}", needed)


def _label_row(row: Row, labels: Sequence[str]) -> LabelRow:
    """Raises ValueError for what is no answer; ValidationError, which is one, where a cell is not what it should be."""
    cells: dict[str, Any] = {name: cell for name, cell in row.items() if cell is not None or name in ABSENT}
    if not (cells.get("key") or "").strip():
        text = clean_cell(cells.get("text"))
        cells["key"] = key_hash(text) if text else None
    p = {label: row.get(f"p_{label}") for label in labels}
    known = any(value is not None for value in p.values())
    answer = _Answer.model_validate({**cells, "p": p if known else None})
    probabilities = None if answer.p is None else _normalised(list(answer.p.values()))
    label = _label(cells.get("label", "").strip(), labels, probabilities)
    return LabelRow(label=label, probabilities=probabilities, **answer.model_dump(exclude={"p"}))


def _in_words(error: Any) -> str:
    """A fault of one cell: its column, what it holds, and what that is not."""
    column, *label = error["loc"]
    if column in ABSENT and not error["input"]:
        return ABSENT[column]
    name = f"p_{label[0]}" if label else column
    return f"{name} is {error['input']!r}: {ADVICE.get(column, error['msg'])}"


def _normalised(probabilities: list[float]) -> list[float]:
    total = sum(probabilities)
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(f"its probabilities sum to {total:.4g}, not to 1")
    return probabilities if abs(total - 1) < 1e-9 else [value / total for value in probabilities]


def _label(given: str, labels: Sequence[str], probabilities: Sequence[float] | None) -> int | None:
    likeliest = None if probabilities is None else max(range(len(labels)), key=probabilities.__getitem__)
    if not given:
        return likeliest
    if given not in labels:
        raise ValueError(f"no label {given!r} in the plan; its labels: {', '.join(labels)}")
    label = labels.index(given)
    if probabilities is not None and probabilities[label] < max(probabilities):
        raise ValueError(f"its label is {given!r}, its likeliest one {labels[likeliest or 0]!r}")
    return label


def _description(text: str | None, labels: Sequence[str]) -> dict[str, Any]:
    """What a labeller is, as its first row has it; without that, that it came from a file."""
    try:
        return DESCRIPTION.validate_json(text or "")
    except ValidationError:
        return {"kind": "imported", "model": None, "labels": list(labels)}
