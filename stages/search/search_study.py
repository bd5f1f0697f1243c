"""The study of one candidate in stage one: the task that its trials share, and how they are sampled."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.datasets.original_and_gold import subset_of
from stages.datasets.run_data import data_of
from stages.plan.schema import Plan
from stages.results.study_results import SearchResult
from stages.runtime.adapted_encoders import adapted_folders, adapts, fetch_version
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from stages.study_runs.refit import Job
from stages.study_runs.study_settings import fitted_space, longest_of, resources, study_config
from storage.records import stage_records
from studies.refit_settings import recheck_of
from studies.space.defaults import default_space
from studies.space.dimensions import Space, plain_space
from studies.study_config import StudyConfig
from studies.trial_task import EvaluationSet, Probabilities, TrialTask
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original
from transfer.encoders.hub import model_version
from transfer.encoders.model import depth, load_config, load_tokenizer, longest_input
from transfer.encoders.tokenization import encode
from transfer.metrics.scores import DIRECTIONS, score
from transfer.training.published_recipes import published_recipe
from transfer.training.recipe import Examples, one_hot


@dataclass(frozen=True)
class SearchInputs:
    """subset: the training rows that are searched on, None for all. starts: by candidate, the folder of its weights.
    parts: of the fingerprint."""

    original: Original
    subset: Labelled | None
    starts: dict[str, Path]
    parts: dict[str, Any]


def search_inputs(run: Run) -> SearchInputs:
    """Reads all of it. Raises UserError where something cannot be read."""
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


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

STAGE = SearchResult.stage


def job_of(run: Run, candidate: str, inputs: SearchInputs) -> Job:
    """A candidate's search, on a subset where the plan has one, and the refits that follow it."""
    settings = run.plan.search
    task = task_of(run, candidate, inputs)
    study = study_of(run, candidate, task)
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    if inputs.subset is None or settings.subset is None:
        return Job(study, task, recheck=recheck)
    part = _examples(run, inputs.subset, task.tokenizer, task.space)
    what = f"search on {len(part):,} of {len(inputs.original.train):,} training rows"
    study = replace(study, attributes={**study.attributes, "what": what})
    part_task = replace(task, examples=lambda params, seed: part)
    return Job(study, part_task, full=task, refit=settings.subset.refit, recheck=recheck)


def task_of(run: Run, candidate: str, inputs: SearchInputs) -> TrialTask:
    """What every trial of the candidate is given, on all training rows."""
    plan, start = run.plan, str(inputs.starts[candidate])
    config, tokenizer = load_config(start), load_tokenizer(start)
    space = fitted_space(plan.space("search", default_space(depth(config))), longest_input(config, tokenizer))
    train, rows = _examples(run, inputs.original.train, tokenizer, space), inputs.original.validation
    validation = EvaluationSet(encode(rows.texts, tokenizer, longest_of(space), run.cache), rows.labels)

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], validation.truth, plan.labels).value(plan.search.metric)

    return TrialTask(
        start=start,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=int(np.random.SeedSequence([plan.seed, *candidate.encode()]).generate_state(1)[0]),
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


def _examples(run: Run, rows: Labelled, tokenizer: "PreTrainedTokenizerBase", space: Space) -> Examples:
    tokens = encode(rows.texts, tokenizer, longest_of(space), run.cache)
    return Examples(tokens, one_hot(rows.labels, len(run.plan.labels)), np.ones(len(rows), dtype=np.float32))
