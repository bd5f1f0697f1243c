"""The ensemble stage: combines the best kept models, compares all models, and reads the test split, once, here."""

from collections.abc import Mapping, Sequence

from stages.ensemble.combination_selection import KeptModels, ScoredCombination, score_combinations, select_combination
from stages.ensemble.reported_models import STAGE, reported_models, rows_of
from stages.reports.models_page import LabelledTexts, draw_models_page
from stages.results.ensemble_result import (
    BestAndEnsemble,
    Diversity,
    EnsembleResult,
    FinalKind,
    FinalModel,
    Gain,
    SplitScores,
)
from stages.results.further_result import FurtherResult
from stages.results.stage_result import Interval
from stages.results.study_results import ModelScores, SearchResult
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result, run_stage
from stages.runtime.stage_order import has_stage_two
from stages.study_runs.evaluation_splits import HELD_OUT, SELECTING, EvaluationSplits, evaluation_splits
from storage.records import model_registry, stage_records
from storage.records.model_registry import ModelRecord
from studies.legacy_names import legacy_model_name
from transfer.corpus.labelled import Labelled
from transfer.ensembling.diversity import diversity
from transfer.errors import UserError


def run_ensemble(run: Run) -> EnsembleResult:
    """Combines the best trials, decides what `final: auto` means, and reads the test split for all models together.

    Also draws the page of all models where it is not there. Raises UserError where stage one is not done, or no model
    is kept.
    """
    winners = {"search": read_result(run, SearchResult).winner.name}
    if has_stage_two(run):
        winners["further"] = read_result(run, FurtherResult).winner.name
    records = [r for r in model_registry.models(run.engine, run.plan.name) if r.stage in winners]
    if not records:
        raise UserError("ensemble: no model is kept", f"search first: moodline search {run.plan.file.name}")
    splits, settings = evaluation_splits(run, winners["search"]), run.plan.ensemble
    parts = {
        "models": sorted(f"{record.name} {record.value!r} {record.lineage['fingerprint']}" for record in records),
        "winners": winners,
        # only where it is used: a run of a version without it stays what it is
        "ensemble": settings.model_dump(exclude={"calibrate"} if settings.calibrate == "none" else None),
        "final": run.plan.final,
        "test (content)": splits.original.test.fingerprint if splits.original.test else None,
        "gold (content)": splits.gold.report.fingerprint if splits.gold else None,
    }
    extent = {"simulation": run.plan.is_simulation}
    result = run_stage(run, EnsembleResult, parts, extent, lambda: _combine(run, splits, records, winners))
    return result.model_copy(update={"models_page": draw_models_page(run, result, _drawn_data(splits))})


def _combine(
    run: Run, splits: EvaluationSplits, records: Sequence[ModelRecord], winners: Mapping[str, str]
) -> EnsembleResult:
    cache = PredictionCache(run, splits.texts, splits.contents)
    models = _kept_models(splits, cache, records)
    table = score_combinations(models, run.plan.ensemble, run.plan.seed)
    selection = select_combination(table, run.plan.ensemble)
    reported = reported_models(run, splits, cache, models, winners, selection)
    final, rows = _final_model(run, models, selection), rows_of(splits, reported)
    single, ensemble = reported.single.probabilities, reported.ensemble.probabilities
    gains = {split: splits.difference(split, own, single[split]) for split, own in ensemble.items()}
    return EnsembleResult(
        members=selection.members,
        mixture=selection.mixture,
        values=dict(models.values),
        combinations=[line.scores for line in table],
        validation=_figures(table, "validation"),
        target=_figures(table, "target") if "target" in splits.truth else None,
        best_single=models.names[0],
        chosen=reported.ensemble.name,
        alone=selection.alone,
        combine=selection.mixture.how,
        diversity=Diversity.model_validate(
            diversity([models.predictions[m]["validation"] for m in selection.members], models.truth["validation"])
        ),
        final=final,
        test=_test(rows),
        gain={s: Gain(**dict(gains[s]), better=gains[s].macro_f1.low > 0) for s in splits.those_of(HELD_OUT)},
        gain_on_validation=gains["validation"],
        judged={s: splits.report(s, own) for s, own in (ensemble if final.kind == STAGE else single).items()},
        test_readings=len(stage_records.test_readings(run.engine, run.plan.name)),
        rows=rows,
    )


def _kept_models(splits: EvaluationSplits, cache: PredictionCache, records: Sequence[ModelRecord]) -> KeptModels:
    """The kept models on the splits that select, ranked."""
    truth = {split: splits.truth[split] for split in splits.those_of(SELECTING)}
    predictions = {record.name: {split: cache.of(record, split) for split in truth} for record in records}
    values = {name: splits.selection_metric.value(found) for name, found in predictions.items()}
    ranked = dict(sorted(values.items(), key=lambda item: (-item[1], legacy_model_name(item[0]))))
    return KeptModels(ranked, predictions, truth, splits.selection_metric)


def _final_model(run: Run, models: KeptModels, selection: ScoredCombination) -> FinalModel:
    name, best = next(iter(models.values.items()))
    interval = Interval.model_validate(models.selection_metric.interval(models.predictions[name]))
    ensemble = selection.scores
    assert ensemble.interval is not None
    return FinalModel(
        kind=_final_kind(run, best, selection),
        value=BestAndEnsemble(best=best, ensemble=ensemble.value),
        intervals=BestAndEnsemble(best=interval, ensemble=ensemble.interval),
    )


def _final_kind(run: Run, best: float, selection: ScoredCombination) -> FinalKind:
    final = run.plan.final
    if final in {"best", "ensemble"} or (final == "distilled" and run.plan.distil is not None):
        return final
    return "ensemble" if len(selection.members) > 1 and selection.scores.value >= best else "best"


def _figures(table: Sequence[ScoredCombination], split: str) -> dict[str, SplitScores]:
    return {line.scores.combination: line.scores.figures[split] for line in table}


def _test(rows: Sequence[ModelScores]) -> dict[str, SplitScores] | None:
    shown = {"accuracy", "macro_f1", "intervals"}
    found = {row.model: row.model_dump(include=shown) for row in rows if row.split == "test"}
    return {model: SplitScores.model_validate(figures) for model, figures in found.items()} or None


def _drawn_data(splits: EvaluationSplits) -> dict[str, LabelledTexts]:
    """The data that figures show; last that whose words are drawn: the comments where they were labelled."""
    original, gold = splits.original, splits.gold
    rows: dict[str, Labelled | None] = {"gold": gold.tune, "gold report": gold.report} if gold else {}
    rows |= {"validation": original.validation, "test": original.test, "train": original.train}
    shown = {name: LabelledTexts(own.texts, own.labels) for name, own in rows.items() if own}
    if splits.pseudo:
        shown["pseudo-labels"] = LabelledTexts(splits.pseudo.texts, splits.pseudo.label)
    return shown
