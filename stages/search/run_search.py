"""Stage one: a study for each candidate on the original data, and the winner among them."""

from functools import partial

from stages.results.stage_result import Interval
from stages.results.study_results import MeasuredWinner, ModelScores, SearchResult
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.predictor import model_record
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import run_stage
from stages.search.search_study import STAGE, SearchInputs, job_of, search_inputs
from stages.study_runs.refit import Found, best_of, search_and_refit
from stages.study_runs.summaries import stopped, winner_of, with_path
from stages.study_runs.table_rows import references, row, trial_rows
from transfer.corpus.splits import Original
from transfer.errors import UserError
from transfer.metrics.bootstrap import RESAMPLING_SEED, intervals
from transfer.metrics.scores import DIRECTIONS, score


def run_search(run: Run) -> SearchResult:
    """Searches every candidate, names the winner, and compares it with the references on validation."""
    inputs, settings = search_inputs(run), run.plan.search
    extent = {
        "trials": settings.trials,
        **({"recheck": settings.refits.model_dump()} if settings.refits else {}),
        **({"refit": settings.subset.refit} if settings.subset else {}),
    }

    work = partial(_search_all, run, inputs, is_coordinator=True)
    return with_path(run, run_stage(run, SearchResult, inputs.parts, extent, work))


def join_search(run: Run) -> SearchResult:
    """Works on stage one's studies from another process; the coordinator measures the winner."""
    return with_path(run, _search_all(run, search_inputs(run), is_coordinator=False))


def _search_all(run: Run, inputs: SearchInputs, *, is_coordinator: bool) -> SearchResult:
    jobs = [job_of(run, candidate, inputs) for candidate in run.plan.candidates]
    found = [search_and_refit(run, job, is_coordinator=is_coordinator) for job in jobs]
    studies = [study for one in found for study in one.studies]
    winner = _winner(run, found)
    return SearchResult(
        studies=studies,
        # a worker cannot load its weights: they may still be on their way
        winner=_measured(run, winner, inputs.original) if is_coordinator else winner,
        rows=_rows(inputs.original, run.plan.labels, found) if is_coordinator else [],
        stopped=stopped(run, STAGE, studies, run.plan.search.timeout),
    )


def _winner(run: Run, found: list[Found]) -> MeasuredWinner:
    complete = [(one.final, one.selected) for one in found if one.selected]
    if not complete:
        raise UserError("stage one: no trial is complete", "moodline status shows why each failed")
    best = best_of(DIRECTIONS[run.plan.search.metric], [trial for _, trial in complete])
    study, trial = complete[best]
    return MeasuredWinner(**dict(winner_of(STAGE, study.candidate or "", study.name, trial)))


def _measured(run: Run, winner: MeasuredWinner, original: Original) -> MeasuredWinner:
    """The winner with the interval of its metric on validation."""
    rows = original.validation
    cache = PredictionCache(run, {"validation": rows.texts}, {"validation": rows.fingerprint})
    predicted = cache.of(model_record(run, winner.name), "validation")
    found = intervals(predicted, rows.labels, run.plan.labels, seed=RESAMPLING_SEED)[run.plan.search.metric]
    return winner.model_copy(update={"interval": Interval(**found)})


def _rows(original: Original, labels: list[str], found: list[Found]) -> list[ModelScores]:
    """The references, and for each candidate the untuned baseline, the selected trial, and its mean over fresh seeds,
    on validation."""
    validation = original.validation
    rows = [
        row(name, "reference", "validation", score(predict(validation.texts), validation.labels, labels))
        for name, predict in references(original, labels).items()
    ]
    for one in found:
        for what, trial in (("untuned", one.final.baseline), ("stage one", one.selected)):
            if trial:
                rows += trial_rows(f"{one.final.candidate}, {what}", STAGE, len(validation.texts), trial)
    return rows
