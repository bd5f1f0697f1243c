"""The final predictor on what the user brings: a labelled file, or some texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.data import read_original
from stages.ensemble import final_predictor
from stages.workspace import Run
from storage import ledger
from transfer.cleaning import clean
from transfer.corpus import read_labelled
from transfer.evaluate import score
from transfer.problem import Problem
from transfer.sources import LabelledSource


def run_evaluate(run: Run, source: LabelledSource, stage: str | None = None) -> dict[str, Any]:
    """Scores on a labelled file; its path is relative to the working folder. The result holds all of evaluate.Scores.

    Rows of the original test split are counted as a reading of it.
    """
    rows = read_labelled([source], run.plan.labels, Path.cwd(), "--data")
    test = read_original(run.plan).test
    if test is not None and set(rows.keys) & set(test.keys):
        ledger.count_test_reading(run.engine, run.plan.name, f"evaluate --data {source.path}", rows.fingerprint)
    predictor = final_predictor(run, stage)
    with run.report.bar("evaluating", len(rows), "texts") as advance:
        probabilities = predictor.probabilities(rows.texts, lambda read: advance(read / len(predictor.members)))
    return {
        "predictor": predictor.name,
        **score(probabilities, rows.labels, run.plan.labels).as_dict(),
        "dropped": rows.dropped,
        "test_readings": len(ledger.test_readings(run.engine, run.plan.name)),
    }


def run_predict(run: Run, texts: Sequence[str], stage: str | None = None) -> dict[str, Any]:
    """`predictions`: text, label and probabilities of each text. Raises Problem for one without a visible character."""
    cleaned = [clean(text) for text in texts]
    empty = [i for i, text in enumerate(cleaned) if not text]
    if empty or not texts:
        raise Problem(f"text {empty[0] + 1 if empty else 1} of {len(texts)} is empty", "give texts to classify")
    predictor = final_predictor(run, stage)
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
