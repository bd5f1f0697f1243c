"""The final predictor on what the user brings: a labelled file, or some texts."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from stages.datasets.original_and_gold import read_original
from stages.ensemble.run_ensemble import final_predictor
from stages.reports.report_figures import course_picture, data_pictures, score_pictures, write_pictures
from stages.runtime.predictor import Floats
from stages.runtime.run_context import Run
from storage.files.atomic_write import write_whole
from storage.records import stage_records
from transfer.corpus.labelled import Labelled
from transfer.corpus.labelled_reader import read_labelled
from transfer.errors import UserError
from transfer.metrics.evaluation_report import by_length, evaluation_report, slices
from transfer.tables.readers import read_batches
from transfer.tables.sources import LabelledSource
from transfer.tables.table_columns import as_text
from transfer.tables.timestamps import utc_times
from transfer.text.cleaning import clean, clean_cell, key_hash

DATA = "--data"
MOST_WRONG = 1000  # errors in a result; a file has all of them


@dataclass(frozen=True)
class EvaluationRequest:
    """What an evaluation gives beside its figures.

    source, time: columns to slice by, what was commented on and the month. errors: csv file for the texts that were
    given a wrong label. pictures: folder for PNGs.
    """

    source: str | None = None
    time: str | None = None
    errors: Path | None = None
    pictures: Path | None = None


def run_evaluate(
    run: Run,
    source: LabelledSource,
    stage: str | None = None,
    model: str | None = None,
    wanted: EvaluationRequest | None = None,
) -> dict[str, Any]:
    """Judges a predictor on a labelled file; its path is relative to the working folder.

    The result holds all of judgement(), `slices` by length, and by source and month where `wanted` names the columns,
    `wrong`, the MOST_WRONG surest errors as errors_of tells them, and the paths of what was written. Rows of the
    original test split are counted as a reading of it.
    """
    wanted = wanted or EvaluationRequest()
    rows = read_labelled([source], run.plan.labels, Path.cwd(), DATA)
    test = read_original(run.plan).test
    if test is not None and set(rows.keys) & set(test.keys):
        stage_records.count_test_reading(run.engine, run.plan.name, f"evaluate {DATA} {source.path}", rows.fingerprint)
    predictor = final_predictor(run, stage, model)
    ways = {"length": by_length(rows.texts), **_columns(run, source, rows, wanted)}
    with run.report.bar("evaluating", len(rows), "texts") as advance:
        probabilities = predictor.probabilities(rows.texts, lambda read: advance(read / len(predictor.members)))
    judged = evaluation_report(probabilities, rows.labels, run.plan.labels, seed=run.plan.seed)
    errors = errors_of(rows, probabilities, run.plan.labels)
    result = {
        "predictor": predictor.name,
        **judged,
        "slices": slices(probabilities, rows.labels, ways),
        "wrong": errors[:MOST_WRONG],
        "dropped": rows.dropped,
        "test_readings": len(stage_records.test_readings(run.engine, run.plan.name)),
    }
    if wanted.errors is not None:
        result["errors"] = write_errors(wanted.errors, errors, run.plan.labels)
    if wanted.pictures is not None:
        pictures = score_pictures(judged, f"{predictor.name} on {Path(str(source.path)).name}")
        pictures += [
            *course_picture(run, predictor.members),
            *data_pictures(run, {"this file": (rows.texts, rows.labels)}, "this file"),
        ]
        result["pictures"] = write_pictures(pictures, wanted.pictures)
    return result


def errors_of(rows: Labelled, probabilities: Floats, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The texts that were given a wrong label: the surest first, for there the labels themselves may be wrong.

    Each has `text` (cleaned), `label` as in the file, `predicted`, its `confidence`, and all `probabilities`.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != rows.labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    return [
        {
            "text": rows.texts[i],
            "label": labels[rows.labels[i]],
            "predicted": labels[predicted[i]],
            "confidence": float(probabilities[i].max()),
            "probabilities": {label: float(p) for label, p in zip(labels, probabilities[i], strict=True)},
        }
        for i in wrong.tolist()
    ]


def write_errors(path: Path, errors: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> str:
    """A csv of what errors_of tells, with p_LABEL for each label. Returns the path."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["text", "label", "predicted", "confidence", *(f"p_{label}" for label in labels)])
    for error in errors:
        figures = [f"{p:.6f}" for p in (error["confidence"], *error["probabilities"].values())]
        writer.writerow([_as_cell(error["text"]), error["label"], error["predicted"], *figures])
    write_whole(path, text.getvalue().encode("utf-8-sig"))  # so that spreadsheets read Korean
    return str(path)


def _as_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _columns(run: Run, source: LabelledSource, rows: Labelled, wanted: EvaluationRequest) -> dict[str, list[str]]:
    """Source and month of each row, "" where the file tells none; of a text that stands there twice the first."""
    columns = {name: column for name, column in (("source", wanted.source), ("month", wanted.time)) if column}
    if not columns:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for batch in read_batches(source, [source.text, *columns.values()], Path.cwd(), DATA):
        texts = as_text(batch.column(0), f"{DATA}: column {source.text!r}").to_pylist()
        values = [_values(run, name, batch.column(i + 1)) for i, name in enumerate(columns)]
        for text, *own in zip(texts, *values, strict=True):
            found.setdefault(key_hash(clean_cell(text)), tuple(own))
    if wanted.time and not any(own[list(columns).index("month")] for own in found.values()):
        raise UserError(
            f"--time: no value of column {wanted.time!r} can be read as a time", "name the column of the times"
        )
    return {name: [found[key][i] for key in rows.keys] for i, name in enumerate(columns)}


def _values(run: Run, name: str, column: pa.Array) -> list[str]:
    if name == "source":
        return [value or "" for value in as_text(column, f"{DATA}: --source").to_pylist()]
    zone = ZoneInfo(run.plan.index.timezone)
    times = utc_times(column, zone).to_pylist()
    return ["" if time is None else f"{time.astimezone(zone):%Y-%m}" for time in times]


def run_predict(run: Run, texts: Sequence[str], stage: str | None = None, model: str | None = None) -> dict[str, Any]:
    """`predictions`: text, label and probabilities of each text.

    Raises UserError for one without a visible character.
    """
    cleaned = [clean(text) for text in texts]
    empty = [i for i, text in enumerate(cleaned) if not text]
    if empty or not texts:
        raise UserError(f"text {empty[0] + 1 if empty else 1} of {len(texts)} is empty", "give texts to classify")
    predictor = final_predictor(run, stage, model)
    labels = run.plan.labels
    return {
        "predictor": predictor.name,
        "predictions": [
            {
                "text": text,
                "label": labels[int(row.argmax())],
                "probabilities": {label: float(p) for label, p in zip(labels, row, strict=True)},
            }
            for text, row in zip(texts, predictor.probabilities(cleaned), strict=True)
        ],
    }
