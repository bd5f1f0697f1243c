"""A study and what follows from it: the best of a subset's search fitted again on all rows, and again on fresh seeds.

Both are further studies in the same store, run by the same workers; their trials are listed, not sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from stages.results.study_results import FIGURES, FreshSeeds, MeanInterval, Scores, ShownTrial, StudySummary
from stages.runtime.run_context import Run
from stages.study_runs.study_runner import run_study
from stages.study_runs.study_settings import derived_seed
from stages.study_runs.summaries import shown_trial, summary
from storage.records import model_registry
from studies.ranking import best_distinct, best_trial
from studies.refit_settings import RecheckSettings
from studies.sampling.enumerated_trials import ENTRY, EnumeratedTrial
from studies.space.suggest import nearest
from studies.study_config import StudyConfig
from studies.trials.trial_task import TrialTask
from studies.workers.next_trial import baseline_note
from transfer.metrics.seed_intervals import pooled_intervals

ALL_DATA = "all data"
FRESH_SEEDS = "fresh seeds"


@dataclass(frozen=True)
class Job:
    """A search and what follows. full: the task on all rows, where `task` has a subset; refit: how many of the best
    are fitted again on it. recheck: None for no fresh seeds."""

    search: StudyConfig
    task: TrialTask
    full: TrialTask | None = None
    refit: int = 0
    recheck: RecheckSettings | None = None


@dataclass(frozen=True)
class Found:
    """What a job came to. studies: summaries of all its studies. final: of the one whose weights are kept.

    selected: the trial to go on with: that with the best mean over fresh seeds, where there are any, else that with the
    best value. None where no trial is complete.
    """

    studies: list[StudySummary]
    final: StudySummary
    selected: ShownTrial | None


def search_and_refit(run: Run, job: Job, *, is_coordinator: bool) -> Found:
    """Runs the job's studies, one after the other, until each one's budget is used up."""
    before, config, study = _searched(run, job, is_coordinator)
    fresh, figures = None, list[FreshSeeds]()
    if job.recheck is not None:
        rechecked = _rechecked(run, config, study, job.recheck)
        wanted = _on_fresh_seeds(config, rechecked, job.recheck.seeds)
        fresh = _run(run, _fresh(job.search.name, config, wanted), job.full or job.task, is_coordinator)
        figures = fresh_figures(fresh, rechecked, wanted)
    stored = [one.model_dump(mode="json") for one in figures]
    if is_coordinator and study.user_attrs.get("fresh", []) != stored:
        study.set_user_attr("fresh", stored)
    # a worker may have these figures before its coordinator has stored them
    shown = {"rechecked": figures, "best": shown_trial(best_trial(study), figures)}
    final = summary(study, config.trials).model_copy(update=shown)
    after = [] if fresh is None else [summary(fresh, 0)]
    return Found([*before, final, *after], final, _selected(study, final))


def fresh_figures(
    fresh: optuna.Study, rechecked: Sequence[FrozenTrial], wanted: Sequence[EnumeratedTrial]
) -> list[FreshSeeds]:
    """Figures of each trial that was fitted again, best first, with 95 % intervals: see pooled_intervals.

    One of which every fit failed is left out.
    """
    keys = [entry.key for entry in wanted]
    complete = fresh.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    ours = sorted((t for t in complete if t.user_attrs[ENTRY] in keys), key=lambda t: keys.index(t.user_attrs[ENTRY]))
    fits = {trial.number: [fit for fit in ours if fit.user_attrs["of"] == trial.number] for trial in rechecked}
    known = [(trial, fits[trial.number]) for trial in rechecked if fits[trial.number]]
    most = 1.0 if fresh.direction == optuna.study.StudyDirection.MAXIMIZE else float("inf")
    values = pooled_intervals([[float(t.value or 0.0) for t in found] for _, found in known])
    macro_f1 = pooled_intervals([[float(t.user_attrs["macro_f1"]) for t in found] for _, found in known])
    seeds = len(keys) // max(len(rechecked), 1)
    return [
        FreshSeeds(
            trial=trial.number,
            value=trial.value,
            n=len(found),
            **dict(_interval(value, most)),
            values=[float(t.value or 0.0) for t in found],
            failed=seeds - len(found),
            macro_f1=_interval(own, most=1.0),
            scores=Scores(**{name: float(np.mean([t.user_attrs[name] for t in found])) for name in FIGURES}),
        )
        for (trial, found), value, own in zip(known, values, macro_f1, strict=True)
    ]


def best_of(direction: str, found: Sequence[ShownTrial]) -> int:
    """Index of the best of some trials: by their means over fresh seeds where all have one, else by value."""
    sign = 1.0 if direction == "maximize" else -1.0
    means = [trial.fresh.mean for trial in found if trial.fresh]
    values = means if len(means) == len(found) else [trial.value or 0.0 for trial in found]
    worth = [sign * value for value in values]
    return worth.index(max(worth))


def _searched(run: Run, job: Job, is_coordinator: bool) -> tuple[list[StudySummary], StudyConfig, optuna.Study]:
    """The study whose weights are kept, and before it the summary of the subset's search where there is one."""
    if job.full is None:
        return [], job.search, _run(run, job.search, job.task, is_coordinator)
    study = _run(run, replace(job.search, keep=0), job.task, is_coordinator)
    config = _on_all_data(job.search, study, job.refit)
    return [summary(study, job.search.trials)], config, _run(run, config, job.full, is_coordinator)


def _run(run: Run, config: StudyConfig, task: TrialTask, is_coordinator: bool) -> optuna.Study:
    trials = config.trials if config.queue is None else len(config.queue)
    run.report.message(f"{config.name}: {trials} trials")
    return run_study(run, config, task, is_coordinator=is_coordinator)


def _on_all_data(config: StudyConfig, study: optuna.Study, most: int) -> StudyConfig:
    """The untuned baseline, and the best of the subset's search."""
    baseline = EnumeratedTrial("untuned", nearest(config.baseline, config.space), baseline_note(config))
    best = [trial for trial in best_distinct(study, most) if not trial.user_attrs.get("baseline")]
    queue = [baseline, *(EnumeratedTrial(f"trial {t.number}", t.params, {"of": t.number}) for t in best)]
    attributes = {**config.attributes, "what": f"the best of the subset, on {ALL_DATA}"}
    return replace(config, name=f"{config.name} · {ALL_DATA}", queue=queue, pruner="none", attributes=attributes)


def _rechecked(run: Run, config: StudyConfig, study: optuna.Study, settings: RecheckSettings) -> list[FrozenTrial]:
    """The best trials whose weights are there: one of them wins, and it must be loadable."""
    kept = {record.trial for record in model_registry.models(run.engine, run.plan.name, study=config.name)}
    return [trial for trial in best_distinct(study, config.keep) if trial.number in kept][: settings.top]


def _on_fresh_seeds(config: StudyConfig, rechecked: Sequence[FrozenTrial], seeds: int) -> list[EnumeratedTrial]:
    return [
        EnumeratedTrial(
            f"trial {trial.number}, seed {i}",
            trial.params,
            # none of the search's own, which come from two numbers; i counts from 1, for a 0 would change nothing
            {"of": trial.number, "seed": derived_seed(config.seed, trial.number, i)},
        )
        for trial in rechecked
        for i in range(1, seeds + 1)
    ]


def _fresh(name: str, config: StudyConfig, queue: Sequence[EnumeratedTrial]) -> StudyConfig:
    attributes = {**config.attributes, "what": f"the best again, on {FRESH_SEEDS}"}
    name = f"{name} · {FRESH_SEEDS}"
    return replace(config, name=name, queue=queue, pruner="none", keep=0, attributes=attributes)


def _selected(study: optuna.Study, final: StudySummary) -> ShownTrial | None:
    if not final.rechecked:
        return final.best
    trials = study.get_trials(deepcopy=False)
    known = [shown_trial(trials[figures.trial], final.rechecked) for figures in final.rechecked]
    shown = [trial for trial in known if trial is not None]
    return shown[best_of(study.direction.name.lower(), shown)]


def _interval(figures: tuple[float, float | None, float | None], most: float) -> MeanInterval:
    mean, low, high = figures
    return MeanInterval(mean=mean, low=low, high=None if high is None else min(high, most))
