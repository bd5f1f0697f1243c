"""Stage one: a study for each candidate on the original data, and the winner among them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stages.datasets.original_and_gold import read_gold_rows, read_original
from stages.plan.schema import Plan
from stages.runtime.predictor import PredictionCache, model_record
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, fingerprint, require_same, result_of
from stages.search.domain_adaptation import adapt_before, adapted_folders, adapted_result, adapts
from stages.study_runs.refit import Found, Job, best_of, search_and_refit
from stages.study_runs.study_runner import fitted_space, longest_of, resources, stopped, winner_of, with_path
from stages.study_runs.table_rows import Row, row, trial_rows
from storage.records import stage_records
from studies.refit_settings import recheck_of
from studies.space.defaults import default_space
from studies.space.dimensions import plain_space
from studies.study_config import StudyConfig
from studies.trial_task import EvaluationSet, Probabilities, TrialTask
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original
from transfer.corpus.stratified_subset import stratified_subset
from transfer.encoders.hub import fetch_model, model_version
from transfer.encoders.model import depth, load_config, load_tokenizer, longest_input
from transfer.encoders.tokenization import encode
from transfer.errors import UserError
from transfer.metrics.bootstrap import DRAWS, intervals
from transfer.metrics.reference_models import Predictor, majority, tfidf
from transfer.metrics.scores import DIRECTIONS, score
from transfer.training.finetune import Examples, one_hot
from transfer.training.published_recipes import published_recipe

STAGE = "search"


@dataclass(frozen=True)
class _Inputs:
    """What stage one begins with.

    subset: the training rows that are searched on, None for all. starts: by candidate, the folder of its weights.
    parts: of the fingerprint.
    """

    original: Original
    subset: Labelled | None
    starts: dict[str, Path]
    parts: dict[str, Any]


def run_search(run: Run) -> dict[str, Any]:
    """Searches every candidate, names the winner, and compares it with the references on validation.

    The result has `studies`, `winner` (candidate, study, trial, value, path, name, and `interval`: of the metric, as
    its kept weights have it on validation) and `rows` of the results' table.
    """
    adapt_before(run, "search")
    inputs = _inputs(run)
    settings = run.plan.search
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    extent = {"trials": settings.trials, "recheck": recheck and recheck.model_dump()}
    extent |= {"refit": settings.subset.refit} if settings.subset else {}
    extent = {name: value for name, value in extent.items() if value is not None}
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, partial(_search_all, run, inputs, leads=True)))


def search_result(run: Run) -> dict[str, Any]:
    """Stage one's result, for those who build on it.

    Raises UserError where it is not done, or was done with another plan or data.
    """
    result = result_of(run, STAGE)
    require_same(run, STAGE, _inputs(run).parts)
    return result


def join_search(run: Run) -> dict[str, Any]:
    """Helps with stage one's studies from another process; the leader names the winner."""
    inputs = _inputs(run)
    require_same(run, STAGE, inputs.parts)
    return with_path(run, _search_all(run, inputs, leads=False))


def _inputs(run: Run) -> _Inputs:
    plan = run.plan
    gold = read_gold_rows(plan)
    original = read_original(plan, set(gold.keys) if gold else ())
    starts = _starts(run)
    subset = subset_of(plan, original)
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
    return _Inputs(original, subset, starts, parts)


def subset_of(plan: Plan, original: Original) -> Labelled | None:
    """The training rows that stage one searches on; None for all.

    Raises UserError where a subset would not be fewer.
    """
    if plan.search.subset is None:
        return None
    return stratified_subset(original.train, plan.search.subset.size(len(original.train)), plan.seed)


def _starts(run: Run) -> dict[str, Path]:
    """The candidates' folders: of the hub's, the version that the study began with, whatever was pushed since; those
    adapted to the comments where the plan asks for that."""
    if adapts(run, "search"):
        adapted_result(run)
        return adapted_folders(run)
    record = stage_records.read(run.engine, run.plan.name, STAGE)
    began: dict[str, str] = record.parts["candidates"] if record else {}
    places = {candidate: run.candidate(candidate) for candidate in run.plan.candidates}
    return {
        candidate: fetch_model(place, None if Path(place).is_dir() else began.get(candidate))
        for candidate, place in places.items()
    }


def references(original: Original, labels: list[str]) -> dict[str, Predictor]:
    """The majority class, and TF-IDF with logistic regression, fitted on the original training data."""
    train = original.train
    return {
        "majority class": majority(train.labels, len(labels)),
        "TF-IDF + logistic regression": tfidf(train.texts, train.labels, len(labels)),
    }


def _search_all(run: Run, inputs: _Inputs, *, leads: bool) -> dict[str, Any]:
    jobs = [_job(run, candidate, inputs) for candidate in run.plan.candidates]
    found = [search_and_refit(run, job, leads=leads) for job in jobs]
    studies = [study for one in found for study in one.studies]
    return {
        "studies": studies,
        "winner": _winner(run, inputs.original, found, leads=leads),
        "rows": _rows(inputs.original, run.plan.labels, found) if leads else [],
        "stopped": stopped(run, STAGE, studies, run.plan.search.timeout),
    }


def _winner(run: Run, original: Original, found: list[Found], *, leads: bool) -> dict[str, Any]:
    metric = run.plan.search.metric
    chosen = [(one.final, one.chosen) for one in found if one.chosen]
    if not chosen:
        raise UserError("stage one: no trial is complete", "moodline status tells why each failed")
    study, trial = chosen[best_of(DIRECTIONS[metric], [trial for _, trial in chosen])]
    winner = winner_of(STAGE, study["candidate"], study["name"], trial)
    if not leads:
        return winner  # its weights may still be on their way
    rows = original.validation
    readings = PredictionCache(run, {"validation": rows.texts}, {"validation": rows.fingerprint})
    said = readings.of(model_record(run, winner["name"]), "validation")
    return winner | {"interval": intervals(said, rows.labels, run.plan.labels, seed=DRAWS)[metric]}


def _rows(original: Original, labels: list[str], found: list[Found]) -> list[Row]:
    """The references, and for each candidate the untuned baseline, the chosen trial, and its mean over fresh seeds, on
    validation."""
    validation = original.validation
    rows = [
        row(name, "reference", "validation", score(predict(validation.texts), validation.labels, labels))
        for name, predict in references(original, labels).items()
    ]
    for one in found:
        trials = (("untuned", one.final["baseline"]), ("stage one", one.chosen))
        for what, trial in trials:
            if trial:
                rows += trial_rows(f"{one.final['candidate']}, {what}", STAGE, len(validation.texts), trial)
    return rows


def _job(run: Run, candidate: str, inputs: _Inputs) -> Job:
    plan, original, settings = run.plan, inputs.original, run.plan.search
    start = str(inputs.starts[candidate])
    config, tokenizer = load_config(start), load_tokenizer(start)
    published = published_recipe(candidate, config.model_type)
    space = fitted_space(plan.space("search", default_space(depth(config))), longest_input(config, tokenizer))
    longest = longest_of(space)
    seed = int(np.random.SeedSequence([plan.seed, *candidate.encode()]).generate_state(1)[0])
    labels = plan.labels

    def examples(rows: Labelled) -> Examples:
        tokens = encode(rows.texts, tokenizer, longest, run.cache)
        return Examples(tokens, one_hot(rows.labels, len(labels)), np.ones(len(rows), dtype=np.float32))

    train = examples(original.train)
    validation = EvaluationSet(
        encode(original.validation.texts, tokenizer, longest, run.cache), original.validation.labels
    )
    metric = settings.metric

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], validation.truth, labels).value(metric)

    task = TrialTask(
        start=start,
        labels=labels,
        tokenizer=tokenizer,
        space=space,
        seed=seed,
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
    study = StudyConfig(
        name=f"{plan.name} · {STAGE} · {candidate}",
        direction=DIRECTIONS[metric],
        metric=metric,
        space=space,
        baseline=asdict(published),
        trials=settings.trials,
        seed=seed,
        sampler=settings.sampler,
        seeds=settings.seeds,
        pruner=settings.pruner,
        keep=settings.keep,
        timeout=None if settings.timeout is None else 60 * settings.timeout,
        attributes={"candidate": candidate, "stage": STAGE},
    )
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    if inputs.subset is None or settings.subset is None:
        return Job(study, task, recheck=recheck)
    part = examples(inputs.subset)
    what = f"search on {len(part):,} of {len(train):,} training rows"
    study = replace(study, attributes={**study.attributes, "what": what})
    part_task = replace(task, examples=lambda params, seed: part)
    return Job(study, part_task, full=task, refit=settings.subset.refit, recheck=recheck)
