"""The study of distillation: its trials train the student on the teacher's labels and on the original data."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.comment_samples import sampled_comments, taken_by
from stages.plan.plan_settings import DistilSettings
from stages.results.study_results import SearchResult
from stages.runtime.prediction_cache import save_array
from stages.runtime.predictor import Predictor, final_predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint, read_result
from stages.study_runs.evaluation_splits import SELECTING, EvaluationSplits, evaluation_splits
from stages.study_runs.refit import Job
from stages.study_runs.study_settings import derived_seed, encoder_of, fitted_space, resources
from studies.space.dimensions import plain_space
from studies.study_config import StudyConfig
from studies.trials.trial_task import EvaluationSet, TrialTask
from transfer.encoders.hub import fetch_model, model_version
from transfer.encoders.model import load_config, load_tokenizer, longest_input
from transfer.errors import UserError
from transfer.training.distillation_targets import distillation_examples
from transfer.training.published_recipes import published_recipe
from transfer.training.recipe import one_hot

CHUNK = 1024  # texts that the teacher labels between two writes: the most that a kill costs


@dataclass(frozen=True)
class DistilInputs:
    """teacher: the ensemble. start: folder of the student's weights. texts: what the teacher labels. parts: of the
    fingerprint."""

    settings: DistilSettings
    teacher: Predictor
    splits: EvaluationSplits
    start: str
    texts: list[str]
    parts: dict[str, Any]


def inputs_of(run: Run) -> DistilInputs:
    """Reads all of it. Raises UserError where the plan asks for no distillation, or the ensemble is not done."""
    settings = run.plan.distil
    if settings is None:
        raise UserError(
            f"{run.plan.file.name}, distil: null",
            "give it an encoder to train on the ensemble's labels",
        )
    teacher = final_predictor(run, "ensemble")
    splits = evaluation_splits(run, read_result(run, SearchResult).winner.name)
    start = fetch_model(run.candidate(settings.encoder), None)
    name, texts = texts_to_label(run, settings, splits)
    parts = {
        "teacher": teacher.fingerprint,
        "encoder": {settings.encoder: model_version(start)},
        "labels": run.plan.labels,
        "seed": run.plan.seed,
        "sample": name or "training data",
        "distil": settings.model_dump(include={"sample", "temperature", "labels"}),
        "distil.space": plain_space(settings.space),
        "original (content)": [splits.original.train.fingerprint, splits.original.validation.fingerprint],
        "gold (content)": splits.gold.tune.fingerprint if splits.gold else None,
    }
    return DistilInputs(settings, teacher, splits, str(start), texts, parts)


def texts_to_label(run: Run, settings: DistilSettings, splits: EvaluationSplits) -> tuple[str | None, list[str]]:
    """Name and texts of the sampled comments; no name, and the training texts, where the plan has no comments.

    No text of gold, validation or test is among them.
    """
    original, gold = splits.original, splits.gold
    if not run.plan.comments:
        return None, list(original.train.texts)
    evaluated = taken_by([original.validation, original.test], [gold.tune, gold.report] if gold else [])
    return sampled_comments(run, "distil", settings.sample, evaluated)


def teacher_predictions(run: Run, inputs: DistilInputs) -> NDArray[np.float32]:
    """(N, K) the teacher's probabilities of the texts, rows sum to 1; kept chunk by chunk."""
    chunks = [inputs.texts[i : i + CHUNK] for i in range(0, len(inputs.texts), CHUNK)]
    identity = fingerprint({"teacher": inputs.teacher.fingerprint, "texts": inputs.parts["sample"]})
    folder, predictions = run.cache / "taught" / identity, list[NDArray[np.float32]]()
    with run.report.bar("the ensemble labels", len(inputs.texts), "texts") as advance:
        for i, chunk in enumerate(chunks):
            path = folder / f"{i:06d}-{fingerprint({'texts': chunk})[:8]}.npy"
            if not path.is_file():
                save_array(path, inputs.teacher.probabilities(chunk))
            predictions.append(np.load(path, allow_pickle=False))
            advance(len(chunk))
    return np.concatenate(predictions)


STAGE = "distil"


def study_name(run: Run, inputs: DistilInputs) -> str:
    """Another teacher, student or sample makes another study."""
    return f"{run.plan.name} · {STAGE} · {inputs.settings.encoder} · {fingerprint(inputs.parts)[:8]}"


def job_of(run: Run, inputs: DistilInputs, predictions: NDArray[np.float32]) -> Job:
    """The study and its task. predictions: the teacher's, (N, K)."""
    config, tokenizer = load_config(inputs.start), load_tokenizer(inputs.start)
    baseline = asdict(published_recipe(inputs.settings.encoder, config.model_type))
    space = fitted_space({**baseline, **inputs.settings.space}, longest_input(config, tokenizer))
    tokens = encoder_of(tokenizer, space, run)
    plan, splits, train = run.plan, inputs.splits, inputs.splits.original.train
    examples = distillation_examples(
        tokens(inputs.texts),
        predictions,
        tokens(train.texts),
        one_hot(train.labels, len(plan.labels)),
        temperature=inputs.settings.temperature,
        label_share=inputs.settings.labels,
    )
    task = TrialTask(
        start=inputs.start,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=derived_seed(plan.seed, 3),
        examples=lambda params, seed: examples,
        exams={
            split: EvaluationSet(tokens(splits.texts[split]), splits.truth[split])
            for split in splits.those_of(SELECTING)
        },
        value=splits.selection_metric.value,
        stage=STAGE,
        plan=plan.name,
        candidate=inputs.settings.encoder,
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "teacher": inputs.teacher.members},
        **resources(plan.search),
    )
    trials = inputs.settings.trials
    study = StudyConfig(
        name=study_name(run, inputs),
        direction="maximize",
        metric="as the ensemble was chosen by",
        space=space,
        baseline=baseline,
        trials=trials,
        seed=task.seed,
        keep=1,
        attributes={"candidate": inputs.settings.encoder, "stage": STAGE, "budget": trials},
    )
    return Job(study, task)
