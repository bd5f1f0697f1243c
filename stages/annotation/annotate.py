"""Gold made by people: a stratified random sample of the comments, labelled key by key or on a sheet.

Each answer is in the store before the next comment is shown. The gold file is made from the store, as often as wanted.
"""

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stages.annotation.label_aggregation import agreements, gold_rows
from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from storage.files.atomic_write import write_whole
from storage.records.annotations import annotate, annotations, take_back
from transfer.corpus.comment_stream import read_comments
from transfer.corpus.stratified_sampling import Draw, Drawn, draw_stratified
from transfer.errors import UserError, UserErrors
from transfer.tables.spreadsheets import check_format, read_sheet, write_sheet

DRAWN = "annotate"  # prefix of the samples' names in files
MOST = 5_000  # comments that are drawn at once; who labels fewer labels the first of them
UNDO, SKIP, QUIT = "u", "s", "q"
KEYS = [key for key in "123456789abcdefghijklmnopqrstuvwxyz" if key not in {UNDO, SKIP, QUIT}]
SHOWN = 10  # faulty rows of a sheet that are told


class Keyboard(Protocol):
    """Where a person reads comments and presses keys."""

    def ask(self, text: str, done: int, total: int, last: str | None) -> str:
        """One key, pressed after `text` was shown. last: the label given before, None at the beginning.

        QUIT where nothing more will be pressed.
        """


@dataclass(frozen=True)
class Annotator:
    """Who labels, and how many comments of the sample."""

    name: str
    rows: int


def run_annotate(
    run: Run,
    who: Annotator,
    keyboard: Keyboard | None = None,
    export_to: Path | None = None,
    import_from: Path | None = None,
    encoding: str | None = None,
) -> dict[str, Any]:
    """Labels by keyboard until the sample is done or the person quits; or reads or writes a sheet instead.

    The result has `annotator`, `sample`, `labelled`, `skipped`, `left` (of this annotator), `annotators` (labels by
    name), `agreement` (κ of each two), `disagreements`, `gold` (the file, null while nothing is labelled), `rows` and
    `source` (what the plan's `gold` should be).
    Raises UserError where there are no comments, or a sheet does not fit.
    """
    draw = sample_to_annotate(run)
    rows = draw.rows[: who.rows]
    if import_from is not None:
        _import(run, who, draw.rows, import_from, encoding)
    if export_to is not None:
        _export(run, who, rows, export_to)
    if keyboard is not None:
        label_by_keys(run, who, rows, keyboard)
    return _outcome(run, who, draw) | ({"sheet": str(export_to)} if export_to else {})


def sample_to_annotate(run: Run) -> Draw:
    """The comments to label, in their order: drawn once, and kept, so that comments added later change nothing."""
    plan = run.plan
    if not plan.comments:
        raise UserError(f"{plan.file.name}, comments: none are named", "gold is a sample of them: name their files")
    facts = {"seed": plan.seed, "comments": [source.model_dump(mode="json") for source in plan.comments]}
    name = f"{DRAWN}/{fingerprint(facts)}.parquet"
    if not run.files.exists(name):
        run.report.message("annotate: drawing a sample of the comments, stratified over time and source")
        _keep(run, name, _draw(plan))
    table = pq.read_table(run.files.fetch(name))
    totals = json.loads(table.schema.metadata[b"totals"])
    return Draw([Drawn(**row) for row in table.to_pylist()], totals)


def label_by_keys(run: Run, who: Annotator, rows: Sequence[Drawn], keyboard: Keyboard) -> None:
    """Shows what this annotator has not answered; each answer is in the store before the next comment is shown."""
    keys = label_keys(run.plan.labels)
    texts = {row.key: row.text for row in rows}  # a text that was drawn several times is asked about once
    told = {given.key: given.label for given in _own(run, who) if given.key in texts}
    history, todo = list(told), [key for key in texts if key not in told]
    while todo:
        key = todo[0]
        last = told[history[-1]] or "passed over" if history else None
        pressed = keyboard.ask(texts[key], len(texts) - len(todo), len(texts), last)
        if pressed == QUIT:
            return
        if pressed == UNDO and history:
            take_back(run.engine, run.plan.name, who.name, history[-1])
            todo.insert(0, history.pop())
        elif pressed == SKIP or pressed in keys:
            told[key] = keys.get(pressed)
            annotate(run.engine, run.plan.name, who.name, {key: told[key]})
            history.append(todo.pop(0))


def label_keys(labels: Sequence[str]) -> dict[str, str]:
    """The key that stands for each label: 1 to 9, then letters. Raises UserError where labels outnumber the keys."""
    if len(labels) > len(KEYS):
        raise UserError(
            f"labels: {len(labels)} are more than the {len(KEYS)} keys there are",
            "label on a sheet: --export SHEET.xlsx, then --import SHEET.xlsx",
        )
    return dict(zip(KEYS, labels, strict=False))


def _draw(plan: Plan) -> Draw:
    # no salt is needed: authors are not looked at here
    read = partial(read_comments, plan.comments, plan.base, plan.index.timezone, salt="")
    draw = draw_stratified(read, MOST, plan.seed, plan.index.timezone)
    if not draw.rows:
        raise UserError("comments: no comment with a text was found")
    return draw


def _keep(run: Run, name: str, draw: Draw) -> None:
    columns = {field: [getattr(row, field) for row in draw.rows] for field in ("id", "key", "text", "stratum")}
    table = pa.table(columns).replace_schema_metadata({"totals": json.dumps(draw.totals)})
    local = run.scratch / f"annotate-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, local)
    run.files.publish(local, name)
    local.unlink()


def _own(run: Run, who: Annotator) -> list[Any]:
    return [given for given in annotations(run.engine, run.plan.name) if given.annotator == who.name]


def _export(run: Run, who: Annotator, rows: Sequence[Drawn], path: Path) -> None:
    """A sheet with an empty column for the label; what this annotator has said already stands in it."""
    check_format(path, "--export")
    told = {given.key: given.label for given in _own(run, who)}
    unique = list({row.key: row for row in reversed(rows)}.values())[::-1]
    columns: dict[str, list[Any]] = {
        "key": [row.key for row in unique],
        "text": [row.text for row in unique],
        "label": [told.get(row.key) for row in unique],
        "labels to choose from": [", ".join(run.plan.labels)] + [None] * (len(unique) - 1),
    }
    write_sheet(path, columns, "--export")


def _import(run: Run, who: Annotator, rows: Sequence[Drawn], path: Path, encoding: str | None) -> None:
    """Takes a filled sheet's labels; a row without one says nothing. All rows are looked at before one is taken."""
    header, found = read_sheet(path, encoding, "--import")
    missing = [name for name in ("key", "label") if name not in header]
    if missing:
        raise UserError(f"{path.name}: no column {', '.join(missing)}", f"its columns: {', '.join(header)}")
    known, problems, given = {row.key for row in rows}, list[str](), dict[str, str | None]()
    for number, row in enumerate(found, 2):  # as a spreadsheet counts, the header is row 1
        label, key = (row["label"] or "").strip(), (row["key"] or "").strip()
        if label and label not in run.plan.labels:
            problems.append(f"row {number}: no label {label!r} in the plan; its labels: {', '.join(run.plan.labels)}")
        elif label and key not in known:
            problems.append(
                f"row {number}: no comment with the key {key!r} in the sample; keep the key column as it is"
            )
        elif label:
            given[key] = label
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise UserErrors(f"{path.name}: {len(problems)} faulty rows; nothing was taken", [*problems[:SHOWN], *more])
    if not given:
        raise UserError(f"{path.name}: its column label is empty", f"fill in one of: {', '.join(run.plan.labels)}")
    annotate(run.engine, run.plan.name, who.name, given)


def _outcome(run: Run, who: Annotator, draw: Draw) -> dict[str, Any]:
    given = annotations(run.engine, run.plan.name)
    wanted = {row.key for row in draw.rows[: who.rows]}
    mine = {said.key: said.label for said in given if said.annotator == who.name and said.key in wanted}
    gold, disagreements = gold_rows(draw, given)
    path = run.root / "gold.csv"
    if gold:
        _write_gold(path, gold)
    return {
        "annotator": who.name,
        "sample": len(wanted),
        "labelled": sum(label is not None for label in mine.values()),
        "skipped": sum(label is None for label in mine.values()),
        "left": len(wanted) - len(mine),
        "annotators": {
            name: sum(said.annotator == name and said.label is not None for said in given)
            for name in sorted({said.annotator for said in given})
        },
        "agreement": agreements(draw, given, run.plan.labels, run.plan.seed),
        "disagreements": disagreements,
        "rows": len(gold),
        "gold": str(path) if gold else None,
        "source": f"{{path: {json.dumps(str(path), ensure_ascii=False)}, id: id, weight: weight}}" if gold else None,
    }


def _write_gold(path: Path, rows: Sequence[tuple[str, str, str, float]]) -> None:
    """For the plan, not for a spreadsheet: texts stand as they are, whatever they begin with."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", "text", "label", "weight"])
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
