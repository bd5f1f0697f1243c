"""Encoders as a trial may start from them: adapted to the comments' language, or as they were published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from stages.results.adapt_result import AdaptResult
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result
from storage.records import stage_records
from transfer.encoders.hub import fetch_model


def adapts(run: Run, before: Literal["search", "further"]) -> bool:
    """Whether the plan has encoders adapted before that stage."""
    return run.plan.adapt is not None and run.plan.adapt.before == before


def adapted_folders(run: Run) -> dict[str, Path]:
    """The adapted weights by candidate, as last made. Raises UserError where they are not made yet."""
    return {name: run.files.fetch(encoder.name) for name, encoder in read_result(run, AdaptResult).adapted.items()}


def pretrained(run: Run, candidate: str) -> Path:
    """A candidate's folder before any adaptation: of the hub, the version that the run began with."""
    record = stage_records.read(run.engine, run.plan.name, "adapt" if adapts(run, "search") else "search")
    parts: Mapping[str, Any] = record.parts if record else {}
    return fetch_version(run, candidate, (parts.get("weights") or parts.get("candidates") or {}).get(candidate))


def fetch_version(run: Run, candidate: str, version: str | None) -> Path:
    """A candidate's folder: its own where it is one, else that version on the hub; None for the newest."""
    place = run.candidate(candidate)
    return fetch_model(place, None if Path(place).is_dir() else version)
