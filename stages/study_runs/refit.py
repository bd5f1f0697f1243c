"""A study and what follows from it: the best of a subset's search fitted again on all rows, and again on fresh seeds.

Both are further studies in the same store, run by the same workers; their trials are listed, not sampled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from stages.runtime.run_context import Run
from stages.study_runs.study_runner import search, shown_trial, summary
from storage.records import model_registry
from studies.enumerated_trials import ENTRY, EnumeratedTrial
from studies.next_trial import baseline_note
from studies.ranking import best_distinct, best_trial
from studies.refit_settings import RecheckSettings
from studies.space.suggest import nearest
from studies.study_config import StudyConfig
from studies.trial_task import TrialTask
from transfer.metrics.seed_intervals import pooled_intervals

ALL_DATA = "all data"
FRESH_SEEDS = "fresh seeds"
SCORES = ("accuracy", "macro_f1", "weighted_f1")


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

    chosen: the trial to go on with, as `best` is shown: that with the best mean over fresh seeds, where there are
    any, else that with the best value. None where no trial is complete.
    """

    studies: list[dict[str, Any]]
    final: dict[str, Any]
    chosen: dict[str, Any] | None


def search_and_refit(run: Run, job: Job, *, leads: bool) -> Found:
    """Runs the job's studies, one after the other, until each one's budget is used up."""
    before, plan_of, study = _searched(run, job, leads)
    fresh, figures = None, list[dict[str, Any]]()
    if job.recheck is not None:
        rechecked = _rechecked(run, plan_of, study, job.recheck)
        wanted = _on_fresh_seeds(plan_of, rechecked, job.recheck.seeds)
        fresh = _run(run, _fresh(job.search.name, plan_of, wanted), job.full or job.task, leads)
        figures = fresh_figures(fresh, rechecked, wanted)
    if leads and study.user_attrs.get("fresh", []) != figures:
        study.set_user_attr("fresh", figures)
    shown = {
        "rechecked": figures,
        "best": shown_trial(best_trial(study), figures),
    }  # a worker may be ahead of its leader
    final = summary(study, plan_of.trials) | shown
    after = [] if fresh is None else [summary(fresh, 0)]
    return Found([*before, final, *after], final, _chosen(study, final))


def fresh_figures(
    fresh: optuna.Study, rechecked: Sequence[FrozenTrial], wanted: Sequence[EnumeratedTrial]
) -> list[dict[str, Any]]:
    """For each trial that was fitted again, best first: its number, its own `value`, and over the fresh seeds `n`,
    `mean`, `low`, `high` (95 %, see pooled_intervals), `values`, `failed`, macro-F1's `mean`, `low` and `high`, and the
    means of all `scores`. One of which every fit failed is left out.
    """
    keys = [entry.key for entry in wanted]
    complete = fresh.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    ours = sorted((t for t in complete if t.user_attrs[ENTRY] in keys), key=lambda t: keys.index(t.user_attrs[ENTRY]))
    runs = {t.number: [again for again in ours if again.user_attrs["of"] == t.number] for t in rechecked}
    runs = {number: found for number, found in runs.items() if found}
    most = 1.0 if fresh.direction == optuna.study.StudyDirection.MAXIMIZE else float("inf")
    values = pooled_intervals([[float(t.value or 0.0) for t in found] for found in runs.values()])
    macro_f1 = pooled_intervals([[float(t.user_attrs["macro_f1"]) for t in found] for found in runs.values()])
    by_number = {trial.number: trial for trial in rechecked}
    seeds = len(keys) // max(len(rechecked), 1)
    return [
        {
            "trial": number,
            "value": by_number[number].value,
            "n": len(found),
            **_interval(value, most),
            "values": [t.value for t in found],
            "failed": seeds - len(found),
            "macro_f1": _interval(own, most=1.0),
            "scores": {name: float(np.mean([t.user_attrs[name] for t in found])) for name in SCORES},
        }
        for (number, found), value, own in zip(runs.items(), values, macro_f1, strict=True)
    ]


def best_of(direction: str, found: Sequence[Mapping[str, Any]]) -> int:
    """Index of the best of some chosen trials: by their means over fresh seeds where all have one, else by value."""
    sign = 1.0 if direction == "maximize" else -1.0
    by_mean = all(trial.get("fresh") for trial in found)
    worth = [sign * (trial["fresh"]["mean"] if by_mean else trial["value"]) for trial in found]
    return worth.index(max(worth))


def _searched(run: Run, job: Job, leads: bool) -> tuple[list[dict[str, Any]], StudyConfig, optuna.Study]:
    """The study whose weights are kept, and before it the summary of the subset's search where there is one."""
    if job.full is None:
        return [], job.search, _run(run, job.search, job.task, leads)
    study = _run(run, replace(job.search, keep=0), job.task, leads)
    plan_of = _on_all_data(job.search, study, job.refit)
    return [summary(study, job.search.trials)], plan_of, _run(run, plan_of, job.full, leads)


def _run(run: Run, plan_of: StudyConfig, task: TrialTask, leads: bool) -> optuna.Study:
    trials = plan_of.trials if plan_of.queue is None else len(plan_of.queue)
    run.report.message(f"{plan_of.name}: {trials} trials")
    return search(run, plan_of, task, leads=leads)


def _on_all_data(plan_of: StudyConfig, study: optuna.Study, most: int) -> StudyConfig:
    """The untuned baseline, and the best of the subset's search."""
    baseline = EnumeratedTrial("untuned", nearest(plan_of.baseline, plan_of.space), baseline_note(plan_of))
    best = [trial for trial in best_distinct(study, most) if not trial.user_attrs.get("baseline")]
    queue = [baseline, *(EnumeratedTrial(f"trial {t.number}", t.params, {"of": t.number}) for t in best)]
    attributes = {**plan_of.attributes, "what": f"the best of the subset, on {ALL_DATA}"}
    return replace(plan_of, name=f"{plan_of.name} · {ALL_DATA}", queue=queue, pruner="none", attributes=attributes)


def _rechecked(run: Run, plan_of: StudyConfig, study: optuna.Study, settings: RecheckSettings) -> list[FrozenTrial]:
    """The best trials whose weights are there: one of them wins, and it must be loadable."""
    kept = {record.trial for record in model_registry.models(run.engine, run.plan.name, study=plan_of.name)}
    return [trial for trial in best_distinct(study, plan_of.keep) if trial.number in kept][: settings.top]


def _on_fresh_seeds(plan_of: StudyConfig, rechecked: Sequence[FrozenTrial], seeds: int) -> list[EnumeratedTrial]:
    return [
        EnumeratedTrial(
            f"trial {trial.number}, seed {i}",
            trial.params,
            {"of": trial.number, "seed": _seed(plan_of.seed, trial.number, i)},
        )
        for trial in rechecked
        for i in range(1, seeds + 1)
    ]


def _seed(seed: int, trial: int, i: int) -> int:
    """None of the search's own, which come from two numbers; i counts from 1, for a zero at the end changes nothing."""
    return int(np.random.SeedSequence([seed, trial, i]).generate_state(1)[0])


def _fresh(name: str, plan_of: StudyConfig, queue: Sequence[EnumeratedTrial]) -> StudyConfig:
    attributes = {**plan_of.attributes, "what": f"the best again, on {FRESH_SEEDS}"}
    name = f"{name} · {FRESH_SEEDS}"
    return replace(plan_of, name=name, queue=queue, pruner="none", keep=0, attributes=attributes)


def _chosen(study: optuna.Study, final: Mapping[str, Any]) -> dict[str, Any] | None:
    rechecked = final["rechecked"]
    if not rechecked:
        best: dict[str, Any] | None = final["best"]
        return best
    trials = study.get_trials(deepcopy=False)
    shown = [shown_trial(trials[figures["trial"]], rechecked) or {} for figures in rechecked]
    return shown[best_of(study.direction.name.lower(), shown)]


def _interval(figures: tuple[float, float | None, float | None], most: float) -> dict[str, float | None]:
    mean, low, high = figures
    return {"mean": mean, "low": low, "high": None if high is None else min(high, most)}
