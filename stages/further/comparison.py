"""Stage two beside what it has to be better than, in one table, and what a paired test says of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.further.control_runs import ORIGINAL, PSEUDO, Controls
from stages.further.further_inputs import Inputs
from stages.further.selection_split import NO_GOLD
from stages.runtime.predictor import PredictionCache
from stages.runtime.run_context import Run
from stages.study_runs.table_rows import SIMULATED, Row, row
from storage.records import model_registry
from transfer.metrics.paired_bootstrap import paired_macro_f1_difference
from transfer.metrics.scores import score

Floats = NDArray[np.float32]
FIRST, SECOND = "stage one, as it is", "stage two"
REPORT = "gold report"
# Names of the splits, by those of the exams.
SPLITS = {"validation": "validation", "target": "held-out pseudo-labels", "report": REPORT}
AS_LONG = ", as many steps"


def splits_of(inputs: Inputs) -> dict[str, tuple[list[str], NDArray[np.int64]]]:
    """Texts and true labels of the splits that are compared on, by the exam's name: gold's tune half is none, for it
    chose."""
    found = {"validation": (inputs.original.validation.texts, inputs.original.validation.labels)}
    if inputs.gold is None:
        return {**found, "target": (inputs.target.texts, inputs.target.truth)}
    return {**found, "report": (inputs.gold.report.texts, inputs.gold.report.labels)}


def comparison(run: Run, inputs: Inputs, winner: str, controls: Controls, simulated: bool) -> dict[str, Any]:
    """`rows` of the table, `comparisons` of stage two with each other row, and `against_stage_one`.

    winner: name of stage two's kept model. Each comparison has `than`, `split`, `n`, `difference`, `low`, `high` (95 %,
    paired bootstrap) and `verdict`: "better", "worse" or "not shown" on gold's report half, None elsewhere, for what
    chose cannot judge.
    """
    models = _answers(run, inputs, winner, controls)
    rows, comparisons = list[Row](), list[dict[str, Any]]()
    for exam, (_, truth) in splits_of(inputs).items():
        for name, probabilities in models.items():
            note = SIMULATED if simulated and name not in {FIRST, ORIGINAL + AS_LONG} else ""
            stage = "search" if name == FIRST else "further"
            rows.append(row(name, stage, SPLITS[exam], score(probabilities[exam], truth, run.plan.labels), note))
        for name in (name for name in models if name != SECOND):
            comparisons.append(_compared(run, models[SECOND][exam], models[name][exam], truth, name, SPLITS[exam]))
    first = next((found for found in comparisons if found["than"] == FIRST and found["split"] == REPORT), None)
    return {
        "rows": rows,
        "comparisons": comparisons,
        "against_stage_one": first,
        "warnings": [] if inputs.gold else [f"stage two: {NO_GOLD}"],
    }


def _answers(run: Run, inputs: Inputs, winner: str, controls: Controls) -> dict[str, dict[str, Floats]]:
    readings = PredictionCache(run, {exam: texts for exam, (texts, _) in splits_of(inputs).items()})

    def kept(name: str) -> dict[str, Floats]:
        record = model_registry.get(run.engine, run.plan.name, name)
        assert record is not None, name
        return {exam: readings.of(record, exam) for exam in splits_of(inputs)}

    models = {FIRST: kept(inputs.winner["name"])}
    for arm in (ORIGINAL, PSEUDO):
        if 1 in controls.seeds(arm):  # one that failed again and again is left out; the study tells why
            models[arm + AS_LONG] = controls.answers[arm, 1]
    return {**models, SECOND: kept(winner)}


def _compared(
    run: Run, ours: Floats, theirs: Floats, truth: NDArray[np.int64], than: str, split: str
) -> dict[str, Any]:
    pair: Sequence[NDArray[np.int64]] = (ours.argmax(axis=1), theirs.argmax(axis=1))
    found = paired_macro_f1_difference(pair[:1], pair[1:], truth, len(run.plan.labels), seed=run.plan.seed).as_dict()
    told: Mapping[str, Any] = found if split == REPORT else {**found, "verdict": None}
    return {"than": than, "split": split, "n": len(truth), **told}
