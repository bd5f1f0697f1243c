"""The models that the ensemble stage reports on: the stages' winners, the best single one, and the ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stages.ensemble.combination_selection import KeptModels, ScoredCombination
from stages.results.ensemble_result import EnsembleResult
from stages.results.study_results import ModelScores
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.predictor import Floats, model_record
from stages.runtime.run_context import Run
from stages.study_runs.evaluation_splits import REPORTED, EvaluationSplits
from stages.study_runs.table_rows import references
from storage.records import stage_records
from transfer.ensembling.combination import MEAN, Mixture

STAGE = EnsembleResult.stage
STAGE_NAMES = {"search": "stage one", "further": "stage two"}


@dataclass(frozen=True)
class ReportedModel:
    """A model as tables show it. stage: that it is of. probabilities: by split that is reported, (N, K)."""

    name: str
    stage: str
    probabilities: Mapping[str, Floats]


@dataclass(frozen=True)
class ReportedModels:
    """winners: of the stages. single: the best single model, which may be one of them."""

    winners: list[ReportedModel]
    single: ReportedModel
    ensemble: ReportedModel

    @property
    def in_tables(self) -> list[ReportedModel]:
        """Each model once, the ensemble last."""
        is_winner = any(self.single.probabilities is winner.probabilities for winner in self.winners)
        return [*self.winners, *([] if is_winner else [self.single]), self.ensemble]


def reported_models(
    run: Run,
    splits: EvaluationSplits,
    cache: PredictionCache,
    models: KeptModels,
    winners: Mapping[str, str],
    selection: ScoredCombination,
) -> ReportedModels:
    """Predictions of all of them. The test split is read here, for all kept models at once, and that is counted.

    winners: names by stage.
    """
    best = models.names[0]
    if "test" in splits.texts:
        stage_records.count_test_reading(run.engine, run.plan.name, STAGE, ",".join(sorted(models.names)))

    def probabilities(members: Sequence[str], mixture: Mixture = MEAN) -> dict[str, Floats]:
        records = [model_record(run, member) for member in members]
        return {
            split: mixture.apply([cache.of(record, split) for record in records]) for split in splits.those_of(REPORTED)
        }

    single = {name: probabilities([name]) for name in dict.fromkeys([*winners.values(), best])}
    return ReportedModels(
        winners=[
            ReportedModel(f"{STAGE_NAMES[stage]}: {name}", _stage(name), single[name])
            for stage, name in winners.items()
        ],
        single=ReportedModel(f"best single: {best}", _stage(best), single[best]),
        ensemble=ReportedModel(_title(selection), STAGE, probabilities(selection.members, selection.mixture)),
    )


def rows_of(splits: EvaluationSplits, reported: ReportedModels) -> list[ModelScores]:
    """The table of all models: references and reported models on every split that is reported."""
    fitted, rows = references(splits.original, splits.plan.labels), list[ModelScores]()
    for split in splits.those_of(REPORTED):
        rows += [splits.row(name, "reference", split, model(splits.texts[split])) for name, model in fitted.items()]
        rows += [splits.row(model.name, model.stage, split, model.probabilities[split]) for model in reported.in_tables]
    return rows


def _stage(name: str) -> str:
    """Of a kept model, whose name begins with it."""
    return name.partition("/")[0]


def _title(selection: ScoredCombination) -> str:
    """What tables call it; a single model is not presented as an ensemble of several."""
    combination = selection.scores.combination
    if selection.alone:
        return f"{STAGE} of one ({combination}): {selection.alone}"
    return f"{STAGE} ({combination} of {len(selection.members)})"
