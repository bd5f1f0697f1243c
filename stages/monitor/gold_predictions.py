"""What the line's corrections are fitted on: rows that people labelled, as the final predictor sees them."""

import numpy as np

from stages.datasets.run_data import data_of
from stages.monitor.schema.method_choice import GoldPredictions
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.predictor import final_predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from transfer.corpus.labelled import Labelled

REPORT = "gold report"  # the ensemble's name for it, under which the probabilities are kept


def judged_identity(run: Run) -> str | None:
    """What the judged rows are, as a fingerprint that needs no model; None where there are none."""
    rows = _rows(run)
    return None if rows is None else fingerprint({"rows": rows[1].fingerprint, "random": _is_random(run, rows[1])})


def judged_rows(run: Run) -> GoldPredictions | None:
    """Gold's report half, or the original validation split where the plan's index.judged_on says so.

    None where the plan has no gold. A gold text never trained a model; the validation split chose between them.
    """
    found = _rows(run)
    if found is None:
        return None
    split, rows = found
    predictor = final_predictor(run)
    readings = PredictionCache(run, {split: rows.texts})
    said = [readings.of(record, split) for record in predictor.records]
    mixed = predictor.how.apply(said).astype(np.float64)
    return GoldPredictions(
        kind="gold" if split == REPORT else "validation",
        truth=rows.labels,
        probabilities=mixed / mixed.sum(axis=1, keepdims=True),
        weights=np.ones(len(rows)) if rows.weights is None else rows.weights,
        is_random=_is_random(run, rows),
    )


def _rows(run: Run) -> tuple[str, Labelled] | None:
    gold = data_of(run).gold
    if run.plan.index.judged_on == "validation":
        return "validation", data_of(run).original.validation
    return None if gold is None else (REPORT, gold.report)


def _is_random(run: Run, rows: Labelled) -> bool:
    """Whether inclusion probabilities are known: by weights, or because the plan says that all are equal."""
    on_gold = run.plan.index.judged_on == "gold" and run.plan.gold is not None
    return bool(on_gold and (rows.weights is not None or (run.plan.gold and run.plan.gold.random_sample)))
