"""The splits on which all kept models are evaluated: those that select between them, and those that only report."""

from collections.abc import Sequence
from dataclasses import dataclass

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Sampled, sampled
from stages.datasets.run_data import data_of
from stages.plan.schema import Plan
from stages.results.evaluation_result import EvaluationReport, PairedDifference
from stages.results.label_result import LabelResult
from stages.results.study_results import ModelScores
from stages.runtime.predictor import Floats
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result
from stages.runtime.stage_order import has_stage_two
from stages.study_runs.selection_metric import SelectionMetric
from stages.study_runs.selection_split import selection_split
from stages.study_runs.table_rows import SIMULATED, row
from storage.records import model_registry
from transfer.corpus.splits import Original
from transfer.metrics.evaluation_report import evaluation_report
from transfer.metrics.paired_bootstrap import paired_metric_differences
from transfer.metrics.scores import Ints, score

REPORTED = ("validation", "gold report", "test")  # in the order of all tables
SELECTING = ("validation", "target")
HELD_OUT = ("gold report", "test")  # nothing was selected by these
WITH_PSEUDO_LABELS = ("further", "ensemble", "distil")  # stages whose models may have trained on them


@dataclass(frozen=True)
class EvaluationSplits:
    """texts, truth: by split, (N,) each. contents: fingerprints of the splits that trials were evaluated on. pseudo:
    the pseudo-labels; None without stage two."""

    plan: Plan
    original: Original
    gold: Gold | None
    texts: dict[str, list[str]]
    truth: dict[str, Ints]
    contents: dict[str, str]
    pseudo: Sampled | None
    selection_metric: SelectionMetric

    def those_of(self, names: Sequence[str]) -> list[str]:
        """The named splits that there are, in that order."""
        return [name for name in names if name in self.texts]

    def report(self, split: str, probabilities: Floats) -> EvaluationReport:
        """All figures on a split. probabilities: (N, K), rows sum to 1."""
        found = evaluation_report(probabilities, self.truth[split], self.plan.labels, seed=self.plan.seed)
        return EvaluationReport.model_validate(found)

    def row(self, model: str, stage: str, split: str, probabilities: Floats) -> ModelScores:
        """A model's row of the table of all models. stage: that it is of, or "reference"."""
        is_simulated = stage in WITH_PSEUDO_LABELS and self.plan.is_simulation
        scores = score(probabilities, self.truth[split], self.plan.labels)
        return row(model, stage, split, scores, SIMULATED if is_simulated else "")

    def difference(self, split: str, one: Floats, other: Floats) -> PairedDifference:
        """`one` less `other` on the same rows of a split, both (N, K)."""
        found = paired_metric_differences(one, other, self.truth[split], seed=self.plan.seed)
        return PairedDifference.model_validate(found)


def evaluation_splits(run: Run, winner: str) -> EvaluationSplits:
    """Reads all of them. winner: of stage one, from whose validation macro-F1 the selection metric counts losses."""
    gold, original = data_of(run).gold, data_of(run).original
    rows = {"validation": (original.validation.texts, original.validation.labels)}
    contents = {"validation": original.validation.fingerprint}
    pseudo = None
    if has_stage_two(run):
        pseudo = sampled(run, read_result(run, LabelResult), gold)
        target, _ = selection_split(gold, pseudo)
        rows["target"] = (target.texts, target.truth)
        contents |= {"target": gold.tune.fingerprint} if gold else {}
    if gold:
        rows["gold report"] = (gold.report.texts, gold.report.labels)
    if original.test:
        rows["test"] = (original.test.texts, original.test.labels)
    texts = {split: own for split, (own, _) in rows.items()}
    truth = {split: own for split, (_, own) in rows.items()}
    metric = _selection_metric(run, truth, winner)
    return EvaluationSplits(run.plan, original, gold, texts, truth, contents, pseudo, metric)


def _selection_metric(run: Run, truth: dict[str, Ints], winner: str) -> SelectionMetric:
    record = model_registry.get(run.engine, run.plan.name, winner)
    floor = (record.metrics["macro_f1"] if record else 0.0) - run.plan.further.tolerance
    metric = run.plan.search.metric
    return SelectionMetric(tuple(run.plan.labels), truth["validation"], truth.get("target"), floor, metric)
