"""`moodline evaluate`: the final predictor on a labelled file, with slices of its rows and its errors."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from stages.datasets.run_data import data_of
from stages.reports.models_page import LabelledTexts, data_pictures, learning_curves, score_pictures, write_pictures
from stages.results.evaluation_result import (
    EvaluationReport,
    EvaluationResult,
    Prediction,
    PredictionResult,
    WrongPrediction,
)
from stages.runtime.predictor import Floats, Predictor, final_predictor
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
MOST_WRONG = 1000  # errors in a result; the csv file has all of them


@dataclass(frozen=True)
class EvaluationRequest:
    """What an evaluation gives in addition to its figures.

    source, time: columns to slice by, what was commented on and the month. errors: csv file for the texts that were
    predicted wrong. pictures: folder for PNGs.
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
) -> EvaluationResult:
    """Evaluates a predictor on a labelled file; its path is relative to the working folder.

    stage, model: see stages.runtime.predictor.final_predictor. Where the file has rows of the original test split,
    that is counted as a reading of it. Raises UserError where the file or a column cannot be read.
    """
    wanted = wanted or EvaluationRequest()
    rows = read_labelled([source], run.plan.labels, Path.cwd(), DATA)
    _count_test_reading(run, source, rows)
    predictor = final_predictor(run, stage, model)
    groups = {"length": by_length(rows.texts), **_columns(run, source, rows, wanted)}
    with run.report.bar("evaluating", len(rows), "texts") as advance:
        probabilities = predictor.probabilities(rows.texts, lambda read: advance(read / len(predictor.members)))
    report = EvaluationReport.model_validate(
        evaluation_report(probabilities, rows.labels, run.plan.labels, seed=run.plan.seed)
    )
    errors = errors_of(rows, probabilities, run.plan.labels)
    title = f"{predictor.name} on {Path(str(source.path)).name}"
    return EvaluationResult(
        **dict(report),
        predictor=predictor.name,
        slices=slices(probabilities, rows.labels, groups),
        wrong=errors[:MOST_WRONG],
        dropped=rows.dropped,
        test_readings=len(stage_records.test_readings(run.engine, run.plan.name)),
        errors=write_errors(wanted.errors, errors, run.plan.labels) if wanted.errors else None,
        pictures=_draw(run, predictor, rows, report, wanted.pictures, title) if wanted.pictures else None,
    )


def _count_test_reading(run: Run, source: LabelledSource, rows: Labelled) -> None:
    test = data_of(run).all_original.test
    if test is not None and set(rows.keys) & set(test.keys):
        stage_records.count_test_reading(run.engine, run.plan.name, f"evaluate {DATA} {source.path}", rows.fingerprint)


def _draw(
    run: Run, predictor: Predictor, rows: Labelled, report: EvaluationReport, folder: Path, title: str
) -> list[str]:
    data = data_pictures(run, {"this file": LabelledTexts(rows.texts, rows.labels)}, "this file")
    return write_pictures([*score_pictures(report, title), *learning_curves(run, predictor.members), *data], folder)


def errors_of(rows: Labelled, probabilities: Floats, labels: Sequence[str]) -> list[WrongPrediction]:
    """The texts that were predicted wrong: the most confident first, for there the labels themselves may be wrong.

    probabilities: (N, K), rows sum to 1.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != rows.labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    return [
        WrongPrediction(
            text=rows.texts[i],
            label=labels[rows.labels[i]],
            predicted=labels[predicted[i]],
            confidence=float(probabilities[i].max()),
            probabilities=dict(zip(labels, probabilities[i].tolist(), strict=True)),
        )
        for i in wrong.tolist()
    ]


def write_errors(path: Path, errors: Sequence[WrongPrediction], labels: Sequence[str]) -> str:
    """A csv of the errors, with a column p_LABEL for each label. Returns the path."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["text", "label", "predicted", "confidence", *(f"p_{label}" for label in labels)])
    for error in errors:
        figures = [f"{p:.6f}" for p in (error.confidence, *error.probabilities.values())]
        writer.writerow([_as_cell(error.text), error.label, error.predicted, *figures])
    write_whole(path, text.getvalue().encode("utf-8-sig"))  # so that spreadsheets read Korean
    return str(path)


def _as_cell(text: str) -> str:
    """The text, with an apostrophe before one that a spreadsheet would read as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _columns(run: Run, source: LabelledSource, rows: Labelled, wanted: EvaluationRequest) -> dict[str, list[str]]:
    """Source and month of each row, "" where the file has none; of a text that occurs twice, the first row's."""
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


def run_predict(run: Run, texts: Sequence[str], stage: str | None = None, model: str | None = None) -> PredictionResult:
    """Label and probabilities of each text, by the predictor that stages.runtime.predictor.final_predictor gives.

    Raises UserError for a text without a visible character.
    """
    cleaned = [clean(text) for text in texts]
    empty = [i for i, text in enumerate(cleaned) if not text]
    if empty or not texts:
        raise UserError(f"text {empty[0] + 1 if empty else 1} of {len(texts)} is empty", "give texts to classify")
    predictor = final_predictor(run, stage, model)
    labels, rows = run.plan.labels, predictor.probabilities(cleaned).tolist()
    predictions = [
        Prediction(text=text, label=labels[row.index(max(row))], probabilities=dict(zip(labels, row, strict=True)))
        for text, row in zip(texts, rows, strict=True)
    ]
    return PredictionResult(predictor=predictor.name, predictions=predictions)
