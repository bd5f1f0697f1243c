"""One model from many: what the ensemble says of the comments trains a single encoder, so that millions cost less."""

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.comment_samples import drawn_comments, taken_by
from stages.ensemble.run_ensemble import (
    CHOOSING,
    HELD_BACK,
    REPORTED,
    Splits,
    final_predictor,
    judged_row,
    judged_splits,
)
from stages.plan.plan_settings import DistilSettings
from stages.runtime.local_workers import LocalWorkers
from stages.runtime.predictor import Floats, PredictionCache, Predictor, save_array
from stages.runtime.reset import forget_studies
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, fingerprint, result_of
from stages.study_runs.refit import Job, search_and_refit
from stages.study_runs.study_runner import fitted_space, longest_of, resources, winner_of, with_path
from storage.records import model_registry, stage_records
from storage.records.model_registry import ModelRecord
from studies.space.dimensions import plain_space
from studies.study_config import StudyConfig
from studies.trial_task import EvaluationSet, TrialTask
from transfer.encoders.hub import fetch_model, model_version
from transfer.encoders.model import load_config, load_tokenizer, longest_input
from transfer.encoders.tokenization import encode
from transfer.errors import UserError
from transfer.metrics.evaluation_report import evaluation_report
from transfer.metrics.paired_bootstrap import paired_metric_differences
from transfer.training.distillation_targets import distillation_examples
from transfer.training.published_recipes import published_recipe
from transfer.training.recipe import one_hot

STAGE = "distil"
CHUNK = 1024  # texts that the ensemble labels between two writes: what a kill can cost


@dataclass(frozen=True)
class _Inputs:
    """teacher: the ensemble. start: folder of the encoder's weights. texts: what the teacher labels. parts: of the
    fingerprint."""

    settings: DistilSettings
    teacher: Predictor
    data: Splits
    start: str
    texts: list[str]
    parts: dict[str, Any]


def run_distil(run: Run) -> dict[str, Any]:
    """Trains the plan's encoder on what the ensemble says of a sample of the comments, or of the training texts.

    The result has `studies`, `winner`, `teacher`, `texts`, `bytes` (of the model and of the teacher's members),
    `against` (the model less the ensemble on what nothing was chosen by: `agreement`, the share of texts given the same
    label, and paired differences with intervals), `judged` (all figures, by split) and `rows` of the results' table.
    """
    inputs = _inputs(run)
    extent = {"trials": inputs.settings.trials}
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, partial(_distil, run, inputs)))


def _inputs(run: Run) -> _Inputs:
    settings = run.plan.distil
    if settings is None:
        raise UserError(
            f"{run.plan.file.name}, distil: null", "give it an encoder, and one model learns from the ensemble"
        )
    teacher = final_predictor(run, "ensemble")
    data = judged_splits(run, result_of(run, "search")["winner"]["name"])
    place = run.candidate(settings.encoder)
    start = fetch_model(place, None)
    sample = _sample(run, data)
    parts = {
        "teacher": teacher.fingerprint,
        "encoder": {settings.encoder: model_version(start)},
        "labels": run.plan.labels,
        "seed": run.plan.seed,
        "sample": sample[0] or "training data",
        "distil": settings.model_dump(include={"sample", "temperature", "labels"}),
        "distil.space": plain_space(settings.space),
        "original (content)": [data.original.train.fingerprint, data.original.validation.fingerprint],
        "gold (content)": data.gold.tune.fingerprint if data.gold else None,
    }
    return _Inputs(settings, teacher, data, str(start), sample[1], parts)


def _distil(run: Run, inputs: _Inputs) -> dict[str, Any]:
    study = f"{run.plan.name} · {STAGE} · {inputs.settings.encoder} · {fingerprint(inputs.parts)[:8]}"
    _forget_others(run, study)
    said = _taught(run, inputs)
    run.report.message(f"{STAGE}: learns what {inputs.teacher.name} says of {len(inputs.texts):,} texts")
    task = _task(run, inputs, said)
    # one or few fits: helpers would wait
    found = search_and_refit(
        replace(run, crew=LocalWorkers()), Job(_search_of(run, inputs, task, study), task), leads=True
    )
    if found.chosen is None:
        raise UserError("distil: no trial is complete", "moodline status tells why each failed")
    winner = winner_of(STAGE, inputs.settings.encoder, study, found.chosen)
    record = model_registry.get(run.engine, run.plan.name, winner["name"])
    assert record is not None
    return {
        "studies": found.studies,
        "winner": winner,
        "teacher": {"name": inputs.teacher.name, "members": inputs.teacher.members},
        "texts": len(inputs.texts),
        "bytes": {"model": record.bytes, "teacher": sum(member.bytes for member in inputs.teacher.records)},
        **_compared(run, inputs, record),
    }


def _task(run: Run, inputs: _Inputs, said: Floats) -> TrialTask:
    plan, original = run.plan, inputs.data.original
    config, tokenizer = load_config(inputs.start), load_tokenizer(inputs.start)
    recipe = asdict(published_recipe(inputs.settings.encoder, config.model_type))
    space = fitted_space({**recipe, **inputs.settings.space}, longest_input(config, tokenizer))
    tokens = partial(encode, tokenizer=tokenizer, max_length=longest_of(space), cache=run.cache)
    learnt = distillation_examples(
        tokens(inputs.texts),
        said,
        tokens(original.train.texts),
        one_hot(original.train.labels, len(plan.labels)),
        temperature=inputs.settings.temperature,
        label_share=inputs.settings.labels,
    )
    judged = {split: inputs.data.texts[split] for split in CHOOSING if split in inputs.data.texts}
    exams = {split: EvaluationSet(tokens(texts), inputs.data.truth[split]) for split, texts in judged.items()}
    return TrialTask(
        start=inputs.start,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=int(np.random.SeedSequence([plan.seed, 3]).generate_state(1)[0]),
        examples=lambda params, seed: learnt,
        exams=exams,
        value=inputs.data.yardstick.value,
        stage=STAGE,
        plan=plan.name,
        candidate=inputs.settings.encoder,
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "teacher": inputs.teacher.members},
        **resources(plan.search),
    )


def _search_of(run: Run, inputs: _Inputs, task: TrialTask, name: str) -> StudyConfig:
    baseline = asdict(published_recipe(inputs.settings.encoder, load_config(inputs.start).model_type))
    return StudyConfig(
        name=name,
        direction="maximize",
        metric="as the ensemble was chosen by",
        space=task.space,
        baseline=baseline,
        trials=inputs.settings.trials,
        seed=task.seed,
        keep=1,
        attributes={"candidate": inputs.settings.encoder, "stage": STAGE, "budget": inputs.settings.trials},
    )


def _forget_others(run: Run, study: str) -> None:
    """What was distilled from another teacher, or otherwise, makes room: models, and studies with their trials."""
    for record in model_registry.models(run.engine, run.plan.name, stage=STAGE):
        if record.study != study:
            model_registry.remove(run.engine, run.plan.name, record.name)
            run.files.remove(record.path)
    forget_studies(run, f"{run.plan.name} · {STAGE} · ", but=study)


def _sample(run: Run, data: Splits) -> tuple[str | None, list[str]]:
    """Name and texts of the comments that the teacher labels. No name, and the training texts, where the plan has no
    comments. No text that judges is among them: gold, validation and test."""
    settings, original, gold = run.plan.distil, data.original, data.gold
    assert settings is not None
    if not run.plan.comments:
        return None, list(original.train.texts)
    judging = taken_by([original.validation, original.test], [gold.tune, gold.report] if gold else [])
    return drawn_comments(run, STAGE, settings.sample, judging)


def _taught(run: Run, inputs: _Inputs) -> Floats:
    """(N, K) the teacher's probabilities, in pieces that are kept: a kill costs one."""
    pieces = [inputs.texts[i : i + CHUNK] for i in range(0, len(inputs.texts), CHUNK)]
    folder = (
        run.cache / "taught" / fingerprint({"teacher": inputs.teacher.fingerprint, "texts": inputs.parts["sample"]})
    )
    folder.mkdir(parents=True, exist_ok=True)
    said = list[NDArray[np.float32]]()
    with run.report.bar("the ensemble labels", len(inputs.texts), "texts") as advance:
        for i, piece in enumerate(pieces):
            path = folder / f"{i:06d}-{fingerprint({'texts': piece})[:8]}.npy"
            if not path.is_file():
                save_array(path, inputs.teacher.probabilities(piece))
            said.append(np.load(path, allow_pickle=False))
            advance(len(piece))
    return np.concatenate(said)


def _compared(run: Run, inputs: _Inputs, record: ModelRecord) -> dict[str, Any]:
    """The model beside the ensemble where nothing was chosen, and its rows of the table. Reads the test split."""
    data, teacher = inputs.data, inputs.teacher
    if "test" in data.texts:
        stage_records.count_test_reading(run.engine, run.plan.name, STAGE, record.name)
    readings = PredictionCache(run, data.texts, data.contents)
    against, judged, rows = {}, {}, []
    for split in [split for split in REPORTED if split in data.texts]:
        own, truth = readings.of(record, split), data.truth[split]
        judged[split] = evaluation_report(own, truth, run.plan.labels, seed=run.plan.seed)
        rows.append(judged_row(run, f"distilled: {record.candidate}", STAGE, split, own, truth))
        if split in HELD_BACK:
            of_teacher = teacher.how.apply([readings.of(member, split) for member in teacher.records])
            agreement = float(np.mean(own.argmax(axis=1) == of_teacher.argmax(axis=1)))
            difference = paired_metric_differences(own, of_teacher, truth, seed=run.plan.seed)
            against[split] = {"n": len(truth), "agreement": agreement, **difference}
    return {"against": against, "judged": judged, "rows": rows}
