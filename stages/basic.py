"""Stage one: a study for each candidate on the original data, and the winner among them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stages.data import read_gold_rows, read_original
from stages.results import Row, row
from stages.searching import fitted_space, longest_of, resources, search, stopped, summary, winner_of, with_path
from stages.stage import do_stage, fingerprint, require_same, result_of
from stages.workspace import Run
from storage import ledger
from studies.search import Search
from studies.space import default_space, plain_space
from studies.task import Exam, Probabilities, Task
from transfer.encoding import encode
from transfer.evaluate import DIRECTIONS, MetricName, score
from transfer.finetune import Examples, one_hot
from transfer.hub import fetch_model, model_version
from transfer.model import depth, load_config, load_tokenizer, longest_input
from transfer.problem import Problem
from transfer.published import published_recipe
from transfer.references import Predictor, majority, tfidf
from transfer.splits import Original

STAGE = "basic"


@dataclass(frozen=True)
class _Inputs:
    """What stage one begins with. starts: by candidate, the folder of its weights. parts: of the fingerprint."""

    original: Original
    starts: dict[str, Path]
    parts: dict[str, Any]


@dataclass(frozen=True)
class _Job:
    """One candidate's study."""

    candidate: str
    search: Search
    task: Task


def run_basic(run: Run) -> dict[str, Any]:
    """Searches every candidate, names the winner, and compares it with the references on validation.

    The result has `studies`, `winner` (candidate, study, trial, value, path, name) and `rows` of the results' table.
    """
    inputs = _inputs(run)
    extent = {"trials": run.plan.search.trials}
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, partial(_search_all, run, inputs, leads=True)))


def basic_result(run: Run) -> dict[str, Any]:
    """Stage one's result, for those who build on it.

    Raises Problem where it is not done, or was done with another plan or data.
    """
    result = result_of(run, STAGE)
    require_same(run, STAGE, _inputs(run).parts)
    return result


def join_basic(run: Run) -> dict[str, Any]:
    """Helps with stage one's studies from another process; the leader names the winner."""
    inputs = _inputs(run)
    require_same(run, STAGE, inputs.parts)
    return with_path(run, _search_all(run, inputs, leads=False))


def _inputs(run: Run) -> _Inputs:
    plan = run.plan
    gold = read_gold_rows(plan)
    original = read_original(plan, set(gold.keys) if gold else ())
    starts = _starts(run)
    parts = {
        "labels": plan.labels,
        "seed": plan.seed,
        "candidates": {candidate: model_version(folder) for candidate, folder in starts.items()},
        "search.metric": plan.search.metric,
        "search.sampler": plan.search.sampler,
        "search.pruner": plan.search.pruner,
        "search.space": plain_space(plan.search.space),
        "original.train (content)": original.train.fingerprint,
        "original.validation (content)": original.validation.fingerprint,
    }
    if plan.search.seeds != 1:
        parts["search.seeds"] = plan.search.seeds
    return _Inputs(original, starts, parts)


def _starts(run: Run) -> dict[str, Path]:
    """The candidates' folders: of the hub's, the version that the study began with, whatever was pushed since."""
    record = ledger.read(run.engine, run.plan.name, STAGE)
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
    studies = []
    for job in jobs:
        run.report.say(f"{job.search.name}: {job.search.trials} trials")
        studies.append(summary(search(run, job.search, job.task, leads=leads), job.search.trials))
    rows = _rows(inputs.original, run.plan.labels, studies) if leads else []
    winner = _winner(run.plan.search.metric, jobs, studies)
    ended = stopped(run, STAGE, studies, run.plan.search.timeout)
    return {"studies": studies, "winner": winner, "rows": rows, "stopped": ended}


def _winner(metric: MetricName, jobs: list[_Job], studies: list[dict[str, Any]]) -> dict[str, Any]:
    sign = 1 if DIRECTIONS[metric] == "maximize" else -1
    found = [(job, study["best"]) for job, study in zip(jobs, studies, strict=True) if study["best"]]
    if not found:
        raise Problem("stage one: no trial is complete", "moodline status tells why each failed")
    job, best = max(found, key=lambda pair: sign * pair[1]["value"])
    return winner_of(STAGE, job.candidate, job.search.name, best)


def _rows(original: Original, labels: list[str], studies: list[dict[str, Any]]) -> list[Row]:
    """The references, each study's untuned baseline and its best trial, on validation."""
    validation = original.validation
    rows = [
        row(name, "reference", "validation", score(predict(validation.texts), validation.labels, labels))
        for name, predict in references(original, labels).items()
    ]
    for study in studies:
        for what, key in (("untuned", "baseline"), ("stage one", "best")):
            if study[key]:
                name = f"{study['candidate']}, {what} (trial {study[key]['trial']})"
                rows.append(
                    {
                        "model": name,
                        "stage": STAGE,
                        "split": "validation",
                        "n": len(validation.texts),
                        **study[key]["scores"],
                    }
                )
    return rows


def _job(run: Run, candidate: str, inputs: _Inputs) -> _Job:
    plan, original = run.plan, inputs.original
    start = str(inputs.starts[candidate])
    config, tokenizer = load_config(start), load_tokenizer(start)
    published = published_recipe(candidate, config.model_type)
    space = fitted_space(plan.space("basic", default_space(depth(config))), longest_input(config, tokenizer))
    longest = longest_of(space)
    seed = int(np.random.SeedSequence([plan.seed, *candidate.encode()]).generate_state(1)[0])
    labels = plan.labels
    train = Examples(
        encode(original.train.texts, tokenizer, longest, run.cache),
        one_hot(original.train.labels, len(labels)),
        np.ones(len(original.train.texts), dtype=np.float32),
    )
    validation = Exam(encode(original.validation.texts, tokenizer, longest, run.cache), original.validation.labels)
    metric = plan.search.metric

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], validation.truth, labels).value(metric)

    task = Task(
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
    study = Search(
        name=f"{plan.name} · {STAGE} · {candidate}",
        direction=DIRECTIONS[metric],
        metric=metric,
        space=space,
        baseline=asdict(published),
        trials=plan.search.trials,
        seed=seed,
        sampler=plan.search.sampler,
        pruner=plan.search.pruner,
        keep=plan.search.keep,
        timeout=None if plan.search.timeout is None else 60 * plan.search.timeout,
        attributes={"candidate": candidate, "stage": STAGE},
    )
    return _Job(candidate, study, task)
