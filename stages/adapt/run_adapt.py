"""Adapting encoders to the comments' language, before stage one or stage two, where the plan asks for it."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from stages.datasets.comment_samples import sampled_comments, taken_by
from stages.datasets.run_data import data_of
from stages.plan.plan_settings import AdaptSettings
from stages.results.adapt_result import AdaptationLoss, AdaptedEncoder, AdaptResult
from stages.results.study_results import SearchResult
from stages.runtime.adapted_encoders import adapts, pretrained
from stages.runtime.run_context import ADAPTED, Run, slug
from stages.runtime.stage_execution import fingerprint, read_result, require_same, run_stage
from stages.study_runs.study_settings import derived_seed
from storage.records import model_registry, stage_records
from studies.trials.deferred_signals import deferred_signals
from transfer.encoders.hub import model_version
from transfer.errors import UserError
from transfer.training.checkpoint import checkpoint_notes, restore_checkpoint, save_checkpoint
from transfer.training.masked_lm import AdaptationSettings, DomainAdaptation, load_masked_lm, save_adapted, take_encoder
from transfer.training.oom_recovery import OomRecovery

STAGE = AdaptResult.stage
CHECKPOINT_SECONDS = 120.0
METADATA = "adaptation.json"  # in the folder of the weights: what they were made from, and their figures


@dataclass(frozen=True)
class _Inputs:
    """sources: by candidate, the folder of the weights to adapt. texts: the comments. parts: of the fingerprint."""

    settings: AdaptSettings
    sources: Mapping[str, Path]
    texts: list[str]
    parts: dict[str, Any]


def adapt_before(run: Run, stage: Literal["search", "further"]) -> None:
    """Adapts what that stage begins with, where the plan has it adapted then.

    What this plan adapted with other settings before is removed unless the stage has begun: no trial started from it.
    """
    if not adapts(run, stage):
        return
    began = stage_records.read(run.engine, run.plan.name, stage) is not None
    result = run_adapt(run)
    for name in result.superseded if not began else ():
        run.files.remove(name)


def run_adapt(run: Run) -> AdaptResult:
    """Adapts every candidate, or stage one's winner, to a sample of the comments; texts of gold and original data are
    not in it.

    A kill costs two minutes. A folder's name stands for what its weights were made from, so that those of other
    settings, comments or encoders never take their place.
    Raises UserError, before anything is adapted, where the stage that follows was begun with other weights than these
    would be: its trials are not mixed with theirs.
    """
    inputs = _inputs(run)
    _require_fit(run, inputs)
    before = stage_records.read(run.engine, run.plan.name, STAGE)
    made = AdaptResult.model_validate(before.result).folders() if before and before.result else set[str]()
    return run_stage(
        run, AdaptResult, inputs.parts, {}, partial(_adapt_all, run, inputs, made), partial(_is_there, run)
    )


def require_same_adaptation(run: Run) -> None:
    """Raises UserError where adapting is not done, or was done with another plan or data."""
    read_result(run, AdaptResult)
    require_same(run, STAGE, _inputs(run).parts)


def _inputs(run: Run) -> _Inputs:
    settings = run.plan.adapt
    assert settings is not None
    if not run.plan.comments:
        raise UserError(
            f"{run.plan.file.name}, adapt: the plan has no comments", "name their files, or set adapt: null"
        )
    data = data_of(run)
    original = data.all_original
    taken = taken_by([original.train, original.validation, original.test], [data.gold_rows])
    sample, texts = sampled_comments(run, STAGE, settings.comments, taken, spread=False)
    sources = _sources(run, settings)
    weights = {candidate: model_version(folder) for candidate, folder in sources.items()}
    parts = {"adapt": settings.model_dump(), "seed": run.plan.seed, "weights": weights, "comments": sample}
    return _Inputs(settings, sources, texts, parts)


def _require_fit(run: Run, inputs: _Inputs) -> None:
    """That the stage which follows has not begun, or has begun with what is adapted here."""
    stage = inputs.settings.before
    if stage_records.read(run.engine, run.plan.name, stage) is None:
        return
    if stage_records.read(run.engine, run.plan.name, STAGE) is None:
        raise UserError(
            f"adapt: stage {stage} of {run.plan.name} was begun without it",
            "set adapt: null to go on,",
            f"or begin that stage and those after it again, losing its trials: --anew {stage}",
        )
    require_same(run, STAGE, inputs.parts)


def _sources(run: Run, settings: AdaptSettings) -> dict[str, Path]:
    """The weights to adapt: the candidates' own, or those of stage one's winner."""
    if settings.before == "search":
        return {candidate: pretrained(run, candidate) for candidate in run.plan.candidates}
    winner = read_result(run, SearchResult).winner
    record = model_registry.get(run.engine, run.plan.name, winner.name)
    if record is None:
        raise UserError(f"the weights of {winner.name} are gone", "begin stage one again: --anew search")
    return {winner.candidate: run.files.fetch(record.path)}


def _adapt_all(run: Run, inputs: _Inputs, made: set[str]) -> AdaptResult:
    """made: names of what was adapted so far."""
    adapted = {candidate: _adapted(run, inputs, candidate) for candidate in inputs.sources}
    shutil.rmtree(run.scratch / STAGE, ignore_errors=True)  # checkpoints of other settings, too
    return AdaptResult(adapted=adapted, superseded=sorted(made - {encoder.name for encoder in adapted.values()}))


def _adapted(run: Run, inputs: _Inputs, candidate: str) -> AdaptedEncoder:
    """A candidate's adaptation: as its folder in files has it where it is there, else made."""
    made_by = {**inputs.parts, "weights": inputs.parts["weights"][candidate]}
    if inputs.settings.before == "further":
        made_by["head"] = model_version(pretrained(run, candidate))
    name = f"{ADAPTED}/{slug(candidate)}-{fingerprint(made_by)[:12]}"
    if run.files.exists(name):
        run.report.message(f"{STAGE}: {candidate}: done before")
    else:
        _adapt(run, inputs, candidate, name, made_by)
    metadata = json.loads((run.files.fetch(name) / METADATA).read_text(encoding="utf-8"))
    return AdaptedEncoder(name=name, **metadata["told"])


def _adapt(run: Run, inputs: _Inputs, candidate: str, name: str, made_by: Mapping[str, Any]) -> None:
    seed = derived_seed(run.plan.seed, *candidate.encode(), 5)
    settings, source = inputs.settings, inputs.sources[candidate]
    model, tokenizer = load_masked_lm(source if settings.before == "search" else pretrained(run, candidate), seed)
    if settings.before == "further":
        take_encoder(model, source)
    memory = OomRecovery(run.plan.search.token_budget, run.plan.search.gradient_checkpointing, run.report.message)
    tuning = DomainAdaptation(model, tokenizer, inputs.texts, _adaptation(settings, len(inputs.texts)), seed, memory)
    own = run.scratch / STAGE / Path(name).name
    notes = _resumed(own, tuning)
    _train(run, candidate, tuning, own, notes)
    loss = AdaptationLoss(before=notes["before"], after=tuning.held_out_loss())
    seconds = round(tuning.spent, 1)
    encoder = AdaptedEncoder(name=name, steps=tuning.step, seconds=seconds, texts=len(tuning.texts), loss=loss)
    metadata = {"told": encoder.model_dump(exclude={"name"}), "made_by": made_by}
    plain, folder = tuning.accelerator.unwrap_model(tuning.model), own / "whole"
    save_adapted(plain, source, classifies=settings.before == "further", folder=folder)
    (folder / METADATA).write_text(json.dumps(metadata, ensure_ascii=False), encoding="utf-8")
    run.files.publish(folder, name)
    shutil.rmtree(own, ignore_errors=True)
    run.report.message(f"{STAGE}: {candidate}: loss on held-out comments {loss.before:.3f} to {loss.after:.3f}")


def _adaptation(settings: AdaptSettings, texts: int) -> AdaptationSettings:
    return AdaptationSettings(
        steps=settings.steps or max(-(-texts // settings.batch_size), 1),
        seconds=None if settings.minutes is None else 60 * settings.minutes,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        share=settings.share,
        mask=settings.mask,
        max_length=settings.max_length,
    )


def _resumed(own: Path, tuning: DomainAdaptation) -> dict[str, Any]:
    """The notes of its checkpoint, which is restored; where there is none, the loss before training is measured."""
    import torch

    if checkpoint_notes(own / "checkpoint") is not None:
        notes = restore_checkpoint(own / "checkpoint", tuning)
        if notes is not None:
            tuning.spent = float(notes["spent"])
            return notes
    with torch.random.fork_rng(devices=[]):
        return {"before": tuning.held_out_loss(), "spent": 0.0}


def _train(run: Run, candidate: str, tuning: DomainAdaptation, own: Path, notes: dict[str, Any]) -> None:
    saved = time.monotonic()
    with (
        run.report.bar(f"{STAGE} · {candidate}", tuning.how.steps - tuning.step, "steps") as advance,
        deferred_signals() as held,
    ):

        def on_step(texts: int) -> None:
            nonlocal saved
            advance(1)
            if held.came or time.monotonic() - saved > CHECKPOINT_SECONDS:
                notes["spent"] = tuning.spent
                save_checkpoint(own / "checkpoint", tuning, notes)
                saved = time.monotonic()
            if held.came:
                raise KeyboardInterrupt

        tuning.run(on_step)


def _is_there(run: Run, result: AdaptResult) -> bool:
    return all(run.files.exists(encoder.name) for encoder in result.adapted.values())
