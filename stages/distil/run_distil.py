"""Distillation: the ensemble's predictions on the comments train a single encoder, so that classifying costs less."""

from dataclasses import replace

import numpy as np

from stages.distil.distil_study import STAGE, DistilInputs, inputs_of, job_of, study_name, teacher_predictions
from stages.results.distil_result import DistilResult, ModelBytes, Teacher, TeacherComparison
from stages.runtime.local_workers import LocalWorkers
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.predictor import Floats, model_record
from stages.runtime.reset import forget_studies
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import run_stage
from stages.study_runs.evaluation_splits import HELD_OUT, REPORTED, EvaluationSplits
from stages.study_runs.refit import search_and_refit
from stages.study_runs.summaries import winner_of, with_path
from storage.records import model_registry, stage_records
from storage.records.model_registry import ModelRecord
from transfer.errors import UserError


def run_distil(run: Run) -> DistilResult:
    """Trains the plan's encoder on the ensemble's labels of a sample of the comments, or of the training texts.

    Raises UserError where the plan asks for no distillation, the ensemble is not done, or every trial failed.
    """
    inputs = inputs_of(run)
    extent = {"trials": inputs.settings.trials}
    return with_path(run, run_stage(run, DistilResult, inputs.parts, extent, lambda: _distil(run, inputs)))


def _distil(run: Run, inputs: DistilInputs) -> DistilResult:
    study, teacher = study_name(run, inputs), inputs.teacher
    _forget_others(run, study)
    predictions = teacher_predictions(run, inputs)
    run.report.message(f"{STAGE}: trains on {len(inputs.texts):,} texts labelled by {teacher.name}")
    one_worker = replace(run, local_workers=LocalWorkers())  # of one fit, or a few: other workers would wait
    found = search_and_refit(one_worker, job_of(run, inputs, predictions), is_coordinator=True)
    if found.selected is None:
        raise UserError("distil: no trial is complete", "moodline status shows why each failed")
    winner = winner_of(STAGE, inputs.settings.encoder, study, found.selected)
    record = model_record(run, winner.name)
    probabilities, against = _evaluated(run, inputs, record)
    splits = inputs.splits
    return DistilResult(
        studies=found.studies,
        winner=winner,
        teacher=Teacher(name=teacher.name, members=teacher.members),
        texts=len(inputs.texts),
        bytes=ModelBytes(model=record.bytes, teacher=sum(member.bytes for member in teacher.records)),
        against=against,
        judged={split: splits.report(split, own) for split, own in probabilities.items()},
        rows=[splits.row(f"distilled: {record.candidate}", STAGE, s, own) for s, own in probabilities.items()],
    )


def _forget_others(run: Run, study: str) -> None:
    """Removes models and studies of another teacher, student or sample."""
    for record in model_registry.models(run.engine, run.plan.name, stage=STAGE):
        if record.study != study:
            model_registry.remove(run.engine, run.plan.name, record.name)
            run.files.remove(record.path)
    forget_studies(run, f"{run.plan.name} · {STAGE} · ", but=study)


def _evaluated(
    run: Run, inputs: DistilInputs, record: ModelRecord
) -> tuple[dict[str, Floats], dict[str, TeacherComparison]]:
    """The student's probabilities by split, and how it compares with the teacher on those that selected nothing.

    The test split is read here, and that is counted.
    """
    splits, teacher = inputs.splits, inputs.teacher
    if "test" in splits.texts:
        stage_records.count_test_reading(run.engine, run.plan.name, STAGE, record.name)
    cache = PredictionCache(run, splits.texts, splits.contents)
    probabilities = {split: cache.of(record, split) for split in splits.those_of(REPORTED)}
    of_teacher = {
        split: teacher.how.apply([cache.of(member, split) for member in teacher.records])
        for split in splits.those_of(HELD_OUT)
    }
    return probabilities, {
        split: _comparison(splits, split, probabilities[split], own) for split, own in of_teacher.items()
    }


def _comparison(splits: EvaluationSplits, split: str, own: Floats, of_teacher: Floats) -> TeacherComparison:
    return TeacherComparison(
        n=len(own),
        agreement=float(np.mean(own.argmax(axis=1) == of_teacher.argmax(axis=1))),
        **dict(splits.difference(split, own, of_teacher)),
    )
