"""Pseudo-labels: a sample of the comments, and gold, labelled by the plan's labeller; measured against people."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.choosing import how_drawn, kept_sample, sample_name, settings_of
from stages.data import Gold, read_gold
from stages.measured import against_people, calibration_of, distributions
from stages.plan import Plan
from stages.report import Advance
from stages.stage import do_stage
from stages.teacher import teacher_of
from stages.tuning import Tuning, tuned, tuning_of, tuning_parts
from stages.workspace import Run, candidate_location
from storage.labels import LabelRow, add_labels, labels_of, register_labeller
from transfer.device import device_name
from transfer.labellers.answer import Labeller
from transfer.labellers.choose import make_labeller
from transfer.labellers.settings import require_labeller
from transfer.problem import Problem

STAGE = "pseudo_label"
CHUNK = 256  # comments asked about together
KEPT_SECONDS = 2.0  # between two writes to the store: what a kill can cost


@dataclass(frozen=True)
class Sampled:
    """Comments to be learnt from, with what the labeller said of them; those it gave no label are left out.

    label: (N,) int64. probabilities: (N, K) float32, a row of NaN where confidence is unknown. Both are calibrated
    where the labelling was; the store keeps the answers as they came.
    """

    keys: list[str]
    texts: list[str]
    label: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def run_pseudo_label(run: Run) -> dict[str, Any]:
    """Labels what is not labelled yet, and compares the labeller with gold.

    The result has `labelled`, `missing`, `labeller`, `tuning` (null without; see stages.tuning), and against gold's
    report half (null without gold) `accuracy`, `macro_f1`, `kappa`, `per_class`, `confusion`, `reliability` and
    `calibration`; see stages.measured.
    Raises Problem where κ is below the plan's `min_kappa`, after everything was kept.
    """
    settings = settings_of(run.plan)
    gold = read_gold(run)
    labeller = _labeller(run)
    sample = kept_sample(run, gold)
    tuning = tuning_of(run, labeller, gold)
    parts = {
        "labeller": {"identity": labeller.identity, **_described(run.plan, labeller)},
        "sample": sample_name(run.plan),
        "gold (content)": [gold.tune.fingerprint, gold.report.fingerprint] if gold else None,
        "calibrate": settings.calibrate,
        **tuning_parts(tuning),
    }
    extent = {
        "simulation": settings.simulation,
        "sample": settings.sample,
        "gold": sum(_sizes(gold)),
        "min_kappa": settings.min_kappa,
    }
    return do_stage(run, STAGE, parts, extent, lambda: _label(run, labeller, sample, gold, tuning))


def sampled(run: Run, result: Mapping[str, Any], gold: Gold | None) -> Sampled:
    """The sample with its pseudo-labels, as the stage left it."""
    sample = kept_sample(run, gold)
    known = {row.key: row for row in labels_of(run.engine, result["identity"], [key for key, _ in sample])}
    kept = [(key, text, known[key]) for key, text in sample if key in known and known[key].label is not None]
    label = np.array([row.label for _, _, row in kept], dtype=np.int64)
    probabilities = distributions([row for _, _, row in kept], len(run.plan.labels))
    calibration = calibration_of(result)
    if calibration is not None:
        label, probabilities = calibration.applied(label, probabilities)
    return Sampled(
        keys=[key for key, _, _ in kept],
        texts=[text for _, text, _ in kept],
        label=label,
        probabilities=probabilities.astype(np.float32),
    )


def _label(
    run: Run, labeller: Labeller, sample: Sequence[tuple[str, str]], gold: Gold | None, tuning: Tuning | None
) -> dict[str, Any]:
    found_of_tuning = None
    if tuning is not None:
        labeller, found_of_tuning = tuned(run, labeller, tuning, lambda *asked: _answered(run, *asked))
    answers = _answered(run, labeller, [*_pairs(gold), *sample])
    found = [answers[key] for key, _ in sample if key in answers]
    result = {
        "labelled": sum(row.label is not None for row in found),
        "missing": len(sample) - sum(row.label is not None for row in found),
        "labeller": _described(run.plan, labeller),
        "identity": labeller.identity,
        "tuning": found_of_tuning,
        "drawn": how_drawn(run),
        "tokens": sum(row.tokens for row in answers.values()),
        "simulation": settings_of(run.plan).simulation,
        "shares": _shares(found, run.plan.labels),
        **against_people(run.plan, answers, gold),
    }
    _check_gate(run.plan, result)
    return result


def _answered(run: Run, labeller: Labeller, wanted: Sequence[tuple[str, str]]) -> dict[str, LabelRow]:
    """A labeller's answers by key; asked for what is not known yet."""
    register_labeller(run.engine, labeller.identity, _described(run.plan, labeller))
    keys = [key for key, _ in wanted]
    known = {row.key for row in labels_of(run.engine, labeller.identity, keys)}
    run.report.say(f"{STAGE}: {len(known)} labelled before, {len(wanted) - len(known)} to ask")
    _ask(run, labeller, wanted, known)
    return {row.key: row for row in labels_of(run.engine, labeller.identity, keys)}


def _ask(run: Run, labeller: Labeller, wanted: Sequence[tuple[str, str]], known: Collection[str]) -> None:
    """Asks for what is missing; each answer is in the store seconds after it came, whatever happens next.

    A local model's figures depend, in their last digits, on the texts that are read together. It is therefore asked
    about fixed chunks, each whole again where one text of it is missing: a killed run ends with the same figures.
    A server is asked about the missing alone, since that costs.
    """
    chunks = [wanted[i : i + CHUNK] for i in range(0, len(wanted), CHUNK)]
    is_local = labeller.description["kind"] != "server"
    missing = sum(key not in known for key, _ in wanted)
    with run.report.bar("labelling", missing, "comments") as advance:
        for chunk in chunks:
            absent = [(key, text) for key, text in chunk if key not in known]
            if absent:
                _keep(run, labeller, chunk if is_local else absent, advance)


def _keep(run: Run, labeller: Labeller, asked: Sequence[tuple[str, str]], advance: Advance) -> None:
    waiting: list[LabelRow] = []
    kept_at = time.monotonic()
    try:
        for row in _answers(labeller, asked):
            waiting.append(row)
            advance(1)
            if time.monotonic() - kept_at > KEPT_SECONDS:
                add_labels(run.engine, labeller.identity, waiting)
                waiting, kept_at = [], time.monotonic()
    finally:
        add_labels(run.engine, labeller.identity, waiting)


def _answers(labeller: Labeller, asked: Sequence[tuple[str, str]]) -> Iterator[LabelRow]:
    for i, answer in labeller.answer([text for _, text in asked]):
        probabilities = None if answer.probabilities is None else list(answer.probabilities)
        yield LabelRow(
            key=asked[i][0],
            labeller=labeller.identity,
            probabilities=probabilities,
            label=answer.label,
            raw=answer.raw,
            tokens=answer.tokens,
            created_at=datetime.now(UTC),
        )


def _check_gate(plan: Plan, result: Mapping[str, Any]) -> None:
    least = settings_of(plan).min_kappa
    if least is None:
        return
    if result["kappa"] is None:
        raise Problem(f"pseudo_label.min_kappa: {least} is asked for, and no gold of several labels measures it")
    value = result["kappa"]["value"]
    if not value >= least:
        raise Problem(
            f"pseudo_label.min_kappa: the labeller agrees with people at kappa {value:.2f}, {least} is asked for",
            "its labels are kept; stage two is not begun",
            "describe the labels in pseudo_label.labeller.prompt.definitions, add examples, or take another model;",
            "or lower min_kappa, knowing that stage two will learn its errors",
        )


def _shares(rows: Sequence[LabelRow], labels: Sequence[str]) -> dict[str, float]:
    counts = np.bincount([row.label for row in rows if row.label is not None], minlength=len(labels))
    return {label: float(count / max(counts.sum(), 1)) for label, count in zip(labels, counts, strict=True)}


def _labeller(run: Run) -> Labeller:
    return plan_labeller(run.plan) or teacher_of(run)


def plan_labeller(plan: Plan) -> Labeller | None:
    """The plan's labeller, not yet loaded; None for a teacher, which only stage one makes.

    Raises Problem where it cannot be had: told before hours of stage one.
    """
    settings = settings_of(plan).labeller
    if settings.teacher is not None:
        require_labeller(settings, plan.labels, "pseudo_label.labeller")
        return None
    if settings.base_url is None and settings.model is not None:
        settings = settings.model_copy(update={"model": candidate_location(plan, settings.model)})
    return make_labeller(settings, plan.labels, device_name())


def _described(plan: Plan, labeller: Labeller) -> dict[str, Any]:
    """The labeller's description, its model as the plan writes it: where a folder lies on this machine is no matter."""
    return {**labeller.description, "model": settings_of(plan).labeller.model or labeller.description["model"]}


def _pairs(gold: Gold | None) -> list[tuple[str, str]]:
    halves = (gold.tune, gold.report) if gold else ()
    return [pair for half in halves for pair in zip(half.keys, half.texts, strict=True)]


def _sizes(gold: Gold | None) -> tuple[int, int]:
    return (len(gold.tune.texts), len(gold.report.texts)) if gold else (0, 0)
