"""Stage two compared with what it has to be better than, in one table, and what a paired test shows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.further.control_arms import ORIGINAL, PSEUDO, Controls
from stages.further.further_inputs import FurtherInputs
from stages.results.further_result import Comparison
from stages.results.study_results import ModelScores
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.predictor import Floats, model_record
from stages.runtime.run_context import Run
from stages.study_runs.table_rows import SIMULATED, row
from transfer.metrics.paired_bootstrap import Difference, paired_macro_f1_difference
from transfer.metrics.scores import score

FIRST, SECOND = "stage one, as it is", "stage two"
REPORT = "gold report"
# Names of the splits in tables, by those of the evaluation sets.
SPLITS = {"validation": "validation", "target": "held-out pseudo-labels", "report": REPORT}
AS_LONG = ", as many steps"


class Compared(NamedTuple):
    """rows of the table, and stage two less each other row."""

    rows: list[ModelScores]
    comparisons: list[Comparison]

    @property
    def against_stage_one(self) -> Comparison | None:
        """On gold's report half; None without gold."""
        return next((one for one in self.comparisons if one.than == FIRST and one.split == REPORT), None)


def splits_of(inputs: FurtherInputs) -> dict[str, tuple[list[str], NDArray[np.int64]]]:
    """Texts and true labels of the splits that are compared on, by the evaluation set's name. Gold's tune half is not
    among them: models were selected on it."""
    found = {"validation": (inputs.original.validation.texts, inputs.original.validation.labels)}
    if inputs.gold is None:
        return {**found, "target": (inputs.target.texts, inputs.target.truth)}
    return {**found, "report": (inputs.gold.report.texts, inputs.gold.report.labels)}


def compare(run: Run, inputs: FurtherInputs, winner: str, controls: Controls, simulated: bool) -> Compared:
    """Stage two's winner, stage one's and the controls on every split. winner: name of stage two's kept model."""
    models = _predictions(run, inputs, winner, controls)
    rows, comparisons = list[ModelScores](), list[Comparison]()
    for split, (_, truth) in splits_of(inputs).items():
        for name, probabilities in models.items():
            note = SIMULATED if simulated and name not in {FIRST, ORIGINAL + AS_LONG} else ""
            stage = "search" if name == FIRST else "further"
            rows.append(row(name, stage, SPLITS[split], score(probabilities[split], truth, run.plan.labels), note))
        for name in (name for name in models if name != SECOND):
            ours, theirs = ([models[one][split].argmax(axis=1)] for one in (SECOND, name))
            difference = paired_macro_f1_difference(ours, theirs, truth, len(run.plan.labels), seed=run.plan.seed)
            comparisons.append(compared(name, SPLITS[split], len(truth), difference))
    return Compared(rows, comparisons)


def compared(than: str, split: str, n: int, difference: Difference) -> Comparison:
    """With a verdict on gold's report half alone, for on the others models were selected."""
    found = difference.as_dict()
    return Comparison(than=than, split=split, n=n, **found | ({} if split == REPORT else {"verdict": None}))


def _predictions(run: Run, inputs: FurtherInputs, winner: str, controls: Controls) -> dict[str, dict[str, Floats]]:
    cache = PredictionCache(run, {split: texts for split, (texts, _) in splits_of(inputs).items()})

    def kept(name: str) -> dict[str, Floats]:
        record = model_record(run, name)
        return {split: cache.of(record, split) for split in splits_of(inputs)}

    models = {FIRST: kept(inputs.winner.name)}
    for arm in (ORIGINAL, PSEUDO):
        if 1 in controls.seeds(arm):  # one that failed again and again is left out; the study has the reason
            models[arm + AS_LONG] = controls.predictions[arm, 1]
    return {**models, SECOND: kept(winner)}
