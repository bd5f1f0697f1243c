"""Adapting encoders to the comments' language, before stage one or stage two, where the plan asks for it."""

import os
import shutil
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.data import read_gold_rows, read_original
from stages.searching import slug
from stages.settings import AdaptSettings
from stages.stage import do_stage, fingerprint, result_of
from stages.workspace import SAMPLES, Run
from storage import ledger, registry
from studies.interrupts import held_interrupts
from transfer.adapt import Adaptation, Adapting, load_masked_lm, save_adapted, take_encoder
from transfer.checkpoint import checkpoint_notes, restore_checkpoint, save_checkpoint
from transfer.floods import flood_key
from transfer.hub import fetch_model, model_version
from transfer.memory import Memory
from transfer.problem import Problem
from transfer.strata import draw_stratified
from transfer.stream import read_comments

STAGE = "adapt"
ADAPTED = "adapted"  # the first part of names in files
CHECKPOINT_SECONDS = 120.0
Before = Literal["search", "further"]


def adapts(run: Run, before: Before) -> bool:
    """Whether the plan has encoders adapted before that stage."""
    return run.plan.adapt is not None and run.plan.adapt.before == before


def run_adapt(run: Run) -> dict[str, Any]:
    """Adapts every candidate, or stage one's winner, to a sample of the comments; texts of gold and original data are
    not in it.

    The result has `adapted`, by candidate: `name` of the folder in files, `steps`, `seconds`, `texts`, and `loss` on
    held-out comments `before` and `after` (nats a masked token). A kill costs two minutes.
    """
    settings = _settings(run)
    sources = _sources(run, settings)
    parts = {
        "adapt": settings.model_dump(),
        "seed": run.plan.seed,
        "weights": {candidate: model_version(folder) for candidate, folder in sources.items()},
        "comments": _sample_name(run, settings),
    }
    return do_stage(run, STAGE, parts, {}, partial(_adapt_all, run, settings, sources), partial(_is_there, run))


def adapted_folders(run: Run) -> dict[str, Path]:
    """The adapted weights by candidate. Raises Problem where they are not made yet."""
    return {name: run.files.fetch(found["name"]) for name, found in result_of(run, STAGE)["adapted"].items()}


def pretrained(run: Run, candidate: str) -> Path:
    """A candidate's folder as it was before anything was adapted: of the hub, the version that was begun with."""
    place = run.candidate(candidate)
    record = ledger.read(run.engine, run.plan.name, STAGE if adapts(run, "search") else "basic")
    parts: Mapping[str, Any] = record.parts if record else {}
    began = (parts.get("weights") or parts.get("candidates") or {}).get(candidate)
    return fetch_model(place, None if Path(place).is_dir() else began)


def _settings(run: Run) -> AdaptSettings:
    assert run.plan.adapt is not None
    if not run.plan.comments:
        raise Problem(f"{run.plan.file.name}, adapt: the plan has no comments", "name their files, or set adapt: null")
    return run.plan.adapt


def _sources(run: Run, settings: AdaptSettings) -> dict[str, Path]:
    """The weights to adapt: the candidates' own, or those of stage one's winner."""
    if settings.before == "search":
        return {candidate: pretrained(run, candidate) for candidate in run.plan.candidates}
    winner = result_of(run, "basic")["winner"]
    record = registry.get(run.engine, run.plan.name, winner["name"])
    if record is None:
        raise Problem(f"the weights of {winner['name']} are gone", "begin stage one again: --anew basic")
    return {winner["candidate"]: run.files.fetch(record.path)}


def _adapt_all(run: Run, settings: AdaptSettings, sources: Mapping[str, Path]) -> dict[str, Any]:
    texts = _kept_texts(run, settings)
    return {"adapted": {name: _adapt(run, settings, name, folder, texts) for name, folder in sources.items()}}


def _adapt(run: Run, settings: AdaptSettings, candidate: str, source: Path, texts: list[str]) -> dict[str, Any]:
    seed = int(np.random.SeedSequence([run.plan.seed, *candidate.encode(), 5]).generate_state(1)[0])
    base = source if settings.before == "search" else pretrained(run, candidate)
    model, tokenizer = load_masked_lm(base, seed)
    if settings.before == "further":
        take_encoder(model, source)
    memory = Memory(run.plan.search.token_budget, run.plan.search.gradient_checkpointing, run.report.say)
    tuning = Adapting(model, tokenizer, texts, _adaptation(settings, len(texts)), seed, memory)
    own = run.scratch / slug(f"{STAGE} {candidate} {fingerprint({'weights': str(model_version(source))})}")
    notes = _resumed(own, tuning)
    _train(run, candidate, tuning, own, notes)
    after = tuning.judge()
    plain = tuning.accelerator.unwrap_model(tuning.model)
    save_adapted(plain, source, classifies=settings.before == "further", folder=own / "whole")
    name = f"{ADAPTED}/{slug(candidate)}"
    run.files.publish(own / "whole", name)
    shutil.rmtree(own, ignore_errors=True)
    run.report.say(f"{STAGE}: {candidate}: loss on held-out comments {notes['before']:.3f} to {after:.3f}")
    told = {"steps": tuning.step, "seconds": round(tuning.spent, 1), "texts": len(tuning.texts)}
    return {"name": name, **told, "loss": {"before": notes["before"], "after": after}}


def _adaptation(settings: AdaptSettings, texts: int) -> Adaptation:
    return Adaptation(
        steps=settings.steps or max(-(-texts // settings.batch_size), 1),
        seconds=None if settings.minutes is None else 60 * settings.minutes,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        share=settings.share,
        mask=settings.mask,
        max_length=settings.max_length,
    )


def _resumed(own: Path, tuning: Adapting) -> dict[str, Any]:
    """The notes of its checkpoint, to which it is taken; where there is none, it begins, and is judged first."""
    if checkpoint_notes(own / "checkpoint") is not None:
        notes = restore_checkpoint(own / "checkpoint", tuning)
        if notes is not None:
            tuning.spent = float(notes["spent"])
            return notes
    random = _random_state()
    notes = {"before": tuning.judge(), "spent": 0.0}
    _set_random_state(random)
    return notes


def _random_state() -> Any:
    import torch

    return torch.get_rng_state()


def _set_random_state(state: Any) -> None:
    import torch

    torch.set_rng_state(state)


def _train(run: Run, candidate: str, tuning: Adapting, own: Path, notes: dict[str, Any]) -> None:
    saved = time.monotonic()
    with (
        run.report.bar(f"{STAGE} · {candidate}", tuning.how.steps - tuning.step, "steps") as advance,
        held_interrupts() as held,
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


def _kept_texts(run: Run, settings: AdaptSettings) -> list[str]:
    """The comments that are read: drawn at random once and kept, so that later ones change nothing."""
    name = _sample_name(run, settings)
    if run.files.exists(name):
        return list(pq.read_table(run.files.fetch(name)).column("text").to_pylist())
    plan = run.plan
    read = partial(read_comments, plan.comments, plan.base, plan.index.timezone, salt="", where="comments")
    taken = _taken(run)
    draw = draw_stratified(
        read, settings.comments, plan.seed, plan.index.timezone, same=flood_key, without=taken, spread=False
    )
    texts = [row.text for row in draw.rows]
    local = run.scratch / f"adapt-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), local)
    run.files.publish(local, name)
    local.unlink()
    return texts


def _taken(run: Run) -> set[str]:
    """Gold's texts and what differs from them in nothing but signs, and the original data's."""
    gold, original = read_gold_rows(run.plan), read_original(run.plan)
    splits = [original.train, original.validation, *([original.test] if original.test else [])]
    found = {key for rows in splits for key in rows.keys}
    for key, text in zip(gold.keys, gold.texts, strict=True) if gold else ():
        found |= {key, flood_key(key, text)}
    return found


def _sample_name(run: Run, settings: AdaptSettings) -> str:
    sources = [source.model_dump(mode="json") for source in run.plan.comments]
    gold = read_gold_rows(run.plan)
    drawn = {"seed": run.plan.seed, "sources": sources, "comments": settings.comments}
    return f"{SAMPLES}/adapt-{fingerprint(drawn | {'gold': gold.fingerprint if gold else None})}.parquet"


def _is_there(run: Run, result: Mapping[str, Any]) -> bool:
    return all(run.files.exists(found["name"]) for found in result["adapted"].values())
