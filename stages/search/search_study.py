"""The study of one candidate in stage one: the task that its trials share, and how they are sampled."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stages.datasets.original_and_gold import subset_of
from stages.datasets.run_data import data_of
from stages.plan.schema import Plan
from stages.results.study_results import SearchResult
from stages.runtime.adapted_encoders import adapted_folders, adapts, fetch_version
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from stages.study_runs.refit import Job
from stages.study_runs.study_settings import (
    derived_seed,
    encoder_of,
    fitted_space,
    labelled_examples,
    resources,
    study_config,
)
from storage.records import stage_records
from studies.space.defaults import default_space
from studies.space.dimensions import plain_space
from studies.study_config import StudyConfig
from studies.trials.trial_task import EvaluationSet, Probabilities, TrialTask
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original
from transfer.encoders.hub import model_version
from transfer.encoders.model import depth, load_config, load_tokenizer, longest_input
from transfer.metrics.scores import DIRECTIONS, score
from transfer.training.published_recipes import published_recipe


@dataclass(frozen=True)
class SearchInputs:
    """subset: the training rows that are searched on, None for all. starts: by candidate, the folder of its weights.
    parts: of the fingerprint."""

    original: Original
    subset: Labelled | None
    starts: dict[str, Path]
    parts: dict[str, Any]


def search_inputs(run: Run) -> SearchInputs:
    original, starts = data_of(run).original, _starts(run)
    subset = subset_of(run.plan, original)
    return SearchInputs(original, subset, starts, _parts(run.plan, original, subset, starts))


def _parts(plan: Plan, original: Original, subset: Labelled | None, starts: dict[str, Path]) -> dict[str, Any]:
    parts = {
        "labels": plan.labels,
        "seed": plan.seed,
        "candidates": {candidate: model_version(folder) for candidate, folder in starts.items()},
        "search.metric": plan.search.metric,
        "search.pruner": plan.search.pruner,
        "search.space": plain_space(plan.search.space),
        "original.train (content)": original.train.fingerprint,
        "original.validation (content)": original.validation.fingerprint,
    }
    if plan.search.sampler != "tpe":
        parts["search.sampler"] = plan.search.sampler
    if plan.search.seeds != 1:
        parts["search.seeds"] = plan.search.seeds
    if subset is not None:
        parts["search.subset (rows, content)"] = [len(subset), subset.fingerprint]
    return parts


def _starts(run: Run) -> dict[str, Path]:
    """The candidates' folders: of the hub's, the version that the search began with, whatever was published since;
    adapted ones where the plan has them adapted before."""
    if adapts(run, "search"):
        return adapted_folders(run)
    record = stage_records.read(run.engine, run.plan.name, "search")
    began: dict[str, str] = record.parts["candidates"] if record else {}
    return {candidate: fetch_version(run, candidate, began.get(candidate)) for candidate in run.plan.candidates}


STAGE = SearchResult.stage


def job_of(run: Run, candidate: str, inputs: SearchInputs) -> Job:
    """A candidate's search, on a subset where the plan has one, and the refits that follow it."""
    settings = run.plan.search
    task = task_of(run, candidate, inputs)
    study = study_of(run, candidate, task)
    if inputs.subset is None or settings.subset is None:
        return Job(study, task, recheck=settings.refits)
    tokens = encoder_of(task.tokenizer, task.space, run)(inputs.subset.texts)
    part = labelled_examples(inputs.subset, tokens, len(run.plan.labels))
    what = f"search on {len(part):,} of {len(inputs.original.train):,} training rows"
    study = replace(study, attributes={**study.attributes, "what": what})
    part_task = replace(task, examples=lambda params, seed: part)
    return Job(study, part_task, full=task, refit=settings.subset.refit, recheck=settings.refits)


def task_of(run: Run, candidate: str, inputs: SearchInputs) -> TrialTask:
    """What every trial of the candidate is given, on all training rows."""
    plan, start = run.plan, str(inputs.starts[candidate])
    config, tokenizer = load_config(start), load_tokenizer(start)
    space = fitted_space(plan.space("search", default_space(depth(config))), longest_input(config, tokenizer))
    tokens, rows = encoder_of(tokenizer, space, run), inputs.original.validation
    train = labelled_examples(inputs.original.train, tokens(inputs.original.train.texts), len(plan.labels))
    validation = EvaluationSet(tokens(rows.texts), rows.labels)

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], validation.truth, plan.labels).value(plan.search.metric)

    return TrialTask(
        start=start,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=derived_seed(plan.seed, *candidate.encode()),
        examples=lambda params, seed: train,
        exams={"validation": validation},
        value=value,
        stage=STAGE,
        plan=plan.name,
        candidate=candidate,
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts},
        seeds=plan.search.seeds,
        **resources(plan.search),
    )


def study_of(run: Run, candidate: str, task: TrialTask) -> StudyConfig:
    """The candidate's study; trial 0 has the recipe that was published for it."""
    settings = run.plan.search
    return study_config(
        settings,
        name=f"{run.plan.name} · {STAGE} · {candidate}",
        direction=DIRECTIONS[settings.metric],
        metric=settings.metric,
        space=task.space,
        baseline=asdict(published_recipe(candidate, load_config(task.start).model_type)),
        seed=task.seed,
        attributes={"candidate": candidate, "stage": STAGE},
    )
