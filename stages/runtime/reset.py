"""Resets a stage: what it and the stages after it made is forgotten, pseudo-labels and gold's halves are not."""

import shutil

from stages.runtime.compute_dtype import MEASURED
from stages.runtime.run_context import ADAPTED, SAMPLES, SHARDS, Run, store_url
from stages.runtime.stage_order import all_in_order
from storage.records import model_registry, stage_records, trial_slots
from storage.records.measured_choices import forget_choices
from storage.records.shard_records import forget_shards
from studies.optuna_artifacts import forget_artifacts
from studies.optuna_storage import open_optuna
from studies.trials.model_record import ANSWERS
from transfer.errors import UserError


def reset_stage(run: Run, stage: str, first: str | None = None) -> None:
    """Forgets a stage and all after it: trials, weights, records. Pseudo-labels stay: they cost money.

    first: the stage that is done next. Raises UserError where an earlier one would be forgotten, and not done again.
    """
    stages = all_in_order(run.plan)
    done_by = stages[stages.index(stage) + 1] if stage == "adapt" else stage  # adapting is part of what follows it
    if first is not None and stages.index(done_by) < stages.index(first):
        raise UserError(
            f"--anew {stage}: this command does stage {first} alone, and could not do {stage} again",
            f"do it with: moodline run {run.plan.file.name} --anew {stage}",
        )
    later = stages[stages.index(stage) :]
    for searched in [name for name in later if name in {"search", "further", "distil"}]:
        forget_studies(run, f"{run.plan.name} · {searched} · ")
    for name in later:
        for record in model_registry.models(run.engine, run.plan.name, stage=name):
            model_registry.remove(run.engine, run.plan.name, record.name)
            run.files.remove(record.path)
        stage_records.forget(run.engine, run.plan.name, name)
    if "search" in later:
        forget_choices(run.engine, run.plan.name, MEASURED)
    if "adapt" in later:
        _remove(run, ADAPTED)
    if "further" in later:
        stage_records.forget(run.engine, run.plan.name, "ablation")
        _remove(run, ANSWERS)
    if "label" in later:
        # what encoders were adapted to stays as long as they do: sampled again it might be other comments
        _remove(run, SAMPLES, but=() if "adapt" in later else (f"{SAMPLES}/adapt-",))
    if "infer" in later:
        forget_shards(run.engine, run.plan.name)
        forget_choices(run.engine, run.plan.name, "engine ")
        _remove(run, SHARDS)
    run.report.message(f"reset: {', '.join(later)}")


def _remove(run: Run, prefix: str, but: tuple[str, ...] = ()) -> None:
    for name in run.files.names(prefix):
        if not name.startswith(but):
            run.files.remove(name)


def forget_studies(run: Run, prefix: str, but: str | None = None) -> None:
    """Removes the studies whose name begins so, with their trials, claims and artifacts; one may stay."""
    import optuna

    storage = open_optuna(store_url(run.plan))
    for study in optuna.get_all_study_summaries(storage):
        if study.study_name.startswith(prefix) and study.study_name != but:
            forget_artifacts(run.files, optuna.load_study(study_name=study.study_name, storage=storage))
            optuna.delete_study(study_name=study.study_name, storage=storage)
            trial_slots.forget_slots(run.engine, study.study_name)
            shutil.rmtree(run.scratch, ignore_errors=True)
