"""Gold made by people: a sample of the comments, labelled key by key or on a sheet.

Each answer is in the store before the next comment is shown. The gold file is made from the store, as often as wanted.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stages.annotation.annotation_sheet import export_sheet, import_sheet
from stages.annotation.label_aggregation import GoldRow, agreements, gold_rows
from stages.datasets.comment_samples import draw_comments, publish_table
from stages.results.annotation_result import AnnotationResult
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from storage.files.atomic_write import write_whole
from storage.records.annotations import annotate, annotations, take_back
from transfer.corpus.stratified_sampling import SampledComment, StratifiedSample
from transfer.errors import UserError

UNDO, SKIP, QUIT = "u", "s", "q"
KEYS = [key for key in "123456789abcdefghijklmnopqrstuvwxyz" if key not in {UNDO, SKIP, QUIT}]


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
    annotator: Annotator,
    keyboard: Keyboard | None = None,
    export_to: Path | None = None,
    import_from: Path | None = None,
    encoding: str | None = None,
) -> AnnotationResult:
    """Labels by keyboard until the sample is done or the person quits; or reads or writes a sheet instead.

    Raises UserError where there are no comments, or a sheet does not fit.
    """
    sample = sample_to_annotate(run)
    rows = sample.rows[: annotator.rows]
    if import_from is not None:
        labels = import_sheet(import_from, encoding, {row.key for row in sample.rows}, run.plan.labels)
        annotate(run.engine, run.plan.name, annotator.name, labels)
    if export_to is not None:
        export_sheet(export_to, rows, _own_labels(run, annotator), run.plan.labels)
    if keyboard is not None:
        label_by_keys(run, annotator, rows, keyboard)
    return _result(run, annotator, sample, export_to)


def label_by_keys(run: Run, annotator: Annotator, rows: Sequence[SampledComment], keyboard: Keyboard) -> None:
    """Shows what this annotator has not answered; each answer is in the store before the next comment is shown."""
    keys = label_keys(run.plan.labels)
    texts = {row.key: row.text for row in rows}  # a text that was sampled several times is asked about once
    labels = {key: label for key, label in _own_labels(run, annotator).items() if key in texts}
    history, todo = list(labels), [key for key in texts if key not in labels]
    while todo:
        key = todo[0]
        last = labels[history[-1]] or "passed over" if history else None
        pressed = keyboard.ask(texts[key], len(texts) - len(todo), len(texts), last)
        if pressed == QUIT:
            return
        if pressed == UNDO and history:
            take_back(run.engine, run.plan.name, annotator.name, history[-1])
            todo.insert(0, history.pop())
        elif pressed == SKIP or pressed in keys:
            labels[key] = keys.get(pressed)
            annotate(run.engine, run.plan.name, annotator.name, {key: labels[key]})
            history.append(todo.pop(0))


def label_keys(labels: Sequence[str]) -> dict[str, str]:
    """The key that stands for each label: 1 to 9, then letters. Raises UserError where labels outnumber the keys."""
    if len(labels) > len(KEYS):
        raise UserError(
            f"labels: {len(labels)} are more than the {len(KEYS)} keys there are",
            "label on a sheet: --export SHEET.xlsx, then --import SHEET.xlsx",
        )
    return dict(zip(KEYS, labels, strict=False))


def _own_labels(run: Run, annotator: Annotator) -> dict[str, str | None]:
    """By key, the oldest first; None where the annotator passed the comment over."""
    known = annotations(run.engine, run.plan.name)
    return {answer.key: answer.label for answer in known if answer.annotator == annotator.name}


def _result(run: Run, annotator: Annotator, sample: StratifiedSample, sheet: Path | None) -> AnnotationResult:
    answers = annotations(run.engine, run.plan.name)
    wanted = {row.key for row in sample.rows[: annotator.rows]}
    own = [label for key, label in _own_labels(run, annotator).items() if key in wanted]
    gold, disagreements = gold_rows(sample, answers)
    path = run.root / "gold.csv"
    if gold:
        _write_gold(path, gold)
    return AnnotationResult(
        annotator=annotator.name,
        sample=len(wanted),
        labelled=sum(label is not None for label in own),
        skipped=sum(label is None for label in own),
        left=len(wanted) - len(own),
        annotators={
            name: sum(answer.annotator == name and answer.label is not None for answer in answers)
            for name in sorted({answer.annotator for answer in answers})
        },
        agreement=agreements(sample, answers, run.plan.labels, run.plan.seed),
        disagreements=disagreements,
        rows=len(gold),
        gold=str(path) if gold else None,
        source=f"{{path: {json.dumps(str(path), ensure_ascii=False)}, id: id, weight: weight}}" if gold else None,
        sheet=str(sheet) if sheet else None,
    )


def _write_gold(path: Path, rows: Sequence[GoldRow]) -> None:
    """For the plan, not for a spreadsheet: texts stand as they are, whatever they begin with."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(GoldRow._fields)
    writer.writerows(rows)
    write_whole(path, file.getvalue().encode())


FOLDER = "annotate"  # of the samples' names in files
MOST = 5_000  # comments sampled at once; who labels fewer labels the first of them


def sample_to_annotate(run: Run) -> StratifiedSample:
    """The comments to label, in their order: sampled once and kept, so that comments added later change nothing."""
    plan = run.plan
    if not plan.comments:
        raise UserError(f"{plan.file.name}, comments: none are named", "gold is a sample of them: name their files")
    inputs = {"seed": plan.seed, "comments": [source.model_dump(mode="json") for source in plan.comments]}
    name = f"{FOLDER}/{fingerprint(inputs)}.parquet"
    if not run.files.exists(name):
        run.report.message("annotate: sampling the comments, stratified over time and source")
        _sample(run, name)
    table = pq.read_table(run.files.fetch(name))
    totals = json.loads(table.schema.metadata[b"totals"])
    return StratifiedSample([SampledComment(**row) for row in table.to_pylist()], totals)


def _sample(run: Run, name: str) -> None:
    draw = draw_comments(run.plan, MOST)
    if not draw.rows:
        raise UserError("comments: no comment with a text was found")
    columns = {field: [getattr(row, field) for row in draw.rows] for field in ("id", "key", "text", "stratum")}
    publish_table(run, name, pa.table(columns).replace_schema_metadata({"totals": json.dumps(draw.totals)}))
