"""Pseudo-labels: a sample of the comments, and gold, labelled by the plan's labellers; measured against people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold, read_gold
from stages.label.gold_evaluation import against_people, calibration_of, distributions
from stages.label.labeller_agreement import compared
from stages.label.labeller_ensemble import LabellerEnsemble, panels_of, summed, together
from stages.label.labelling_cost import spent, told_before
from stages.label.labelling_loop import STAGE, ask_all
from stages.label.lm_tuning import Tuning, tuned, tuning_of, tuning_parts
from stages.label.sample_selection import how_drawn, kept_sample, sample_name, settings_of
from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage
from storage.records.pseudo_labels import LabelRow, labels_of, register_labeller
from transfer.errors import UserError


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


def run_label(run: Run) -> dict[str, Any]:
    """Labels what is not labelled yet, and compares the labeller with gold.

    The result has `labelled`, `missing`, `labeller`, and against gold's report half (null without gold) `accuracy`,
    `macro_f1`, `kappa`, `per_class`, `confusion`, `reliability` and `calibration`; see stages.label.gold_evaluation.
    `labellers` and `between` tell of each labeller and prompt where there are several, see
    stages.label.labeller_agreement; `usage` and `estimate` what was spent, see stages.label.labelling_cost; `tuning`
    how the local ones that learnt before fared, see stages.label.lm_tuning. Raises UserError where κ is below the
    plan's `min_kappa`, after everything was kept.
    """
    settings = settings_of(run.plan)
    gold = read_gold(run)
    panels = panels_of(run, gold)
    sample = kept_sample(run, gold)
    tunings = [tuning_of(run, panel, gold) for panel in panels]
    whole = _whole(panels)
    parts = {
        "labeller": {"identity": together(list(whole)), **summed(list(whole.values()), list(whole))},
        "sample": sample_name(run.plan),
        "gold (content)": [gold.tune.fingerprint, gold.report.fingerprint] if gold else None,
        "calibrate": settings.calibrate,
        **tuning_parts(tunings),
    }
    extent = {
        "simulation": settings.simulation,
        "sample": settings.sample,
        "gold": sum(_sizes(gold)),
        "min_kappa": settings.min_kappa,
    }
    return do_stage(run, STAGE, parts, extent, lambda: _label(run, panels, tunings, sample, gold))


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


def _whole(panels: Sequence[LabellerEnsemble]) -> dict[str, dict[str, Any]]:
    """Descriptions of the labellers by identity."""
    return {panel.identity: panel.description for panel in panels}


def _label(
    run: Run,
    panels: list[LabellerEnsemble],
    tunings: Sequence[Tuning | None],
    sample: Sequence[tuple[str, str]],
    gold: Gold | None,
) -> dict[str, Any]:
    found_of_tuning = _tune(run, panels, tunings)
    wanted, facts, whole = [*_pairs(gold), *sample], [panel.facts for panel in panels], _whole(panels)
    identity, description = together(list(whole)), summed(list(whole.values()), list(whole))
    before = told_before(run, panels, wanted, gold)
    register_labeller(run.engine, identity, description)
    asked = ask_all(run, panels, wanted)
    answers = {row.key: row for row in labels_of(run.engine, identity, [key for key, _ in wanted])}
    found = [answers[key] for key, _ in sample if key in answers]
    result = {
        "labelled": sum(row.label is not None for row in found),
        "missing": len(sample) - sum(row.label is not None for row in found),
        "labeller": description,
        "identity": identity,
        "tuning": found_of_tuning,
        "drawn": how_drawn(run),
        "tokens": sum(row.tokens for row in answers.values()),
        "asked": asked,
        "estimate": before,
        "usage": spent(run, facts, wanted),
        "simulation": settings_of(run.plan).simulation,
        "shares": _shares(found, run.plan.labels),
        **against_people(run.plan, answers, gold),
        **compared(run, facts, wanted, gold),
    }
    _check_gate(run.plan, result)
    return result


def _tune(run: Run, panels: list[LabellerEnsemble], tunings: Sequence[Tuning | None]) -> list[dict[str, Any]]:
    """Puts the tuned ones that gain in the plain ones' place."""
    found = []
    for i, tuning in enumerate(tunings):
        if tuning is not None:
            panels[i], told = tuned(run, panels[i], tuning)
            found.append(told)
    return found


def _check_gate(plan: Plan, result: Mapping[str, Any]) -> None:
    least = settings_of(plan).min_kappa
    if least is None:
        return
    if result["kappa"] is None:
        raise UserError(f"pseudo_label.min_kappa: {least} is asked for, and no gold of several labels measures it")
    value = result["kappa"]["value"]
    if not value >= least:
        raise UserError(
            f"pseudo_label.min_kappa: the labeller agrees with people at kappa {value:.2f}, {least} is asked for",
            "its labels are kept; stage two is not begun",
            "describe the labels in pseudo_label.labeller.prompt.definitions, add examples, or take another model;",
            "or lower min_kappa, knowing that stage two will learn its errors",
        )


def _shares(rows: Sequence[LabelRow], labels: Sequence[str]) -> dict[str, float]:
    counts = np.bincount([row.label for row in rows if row.label is not None], minlength=len(labels))
    return {label: float(count / max(counts.sum(), 1)) for label, count in zip(labels, counts, strict=True)}


def _pairs(gold: Gold | None) -> list[tuple[str, str]]:
    halves = (gold.tune, gold.report) if gold else ()
    return [pair for half in halves for pair in zip(half.keys, half.texts, strict=True)]


def _sizes(gold: Gold | None) -> tuple[int, int]:
    return (len(gold.tune.texts), len(gold.report.texts)) if gold else (0, 0)
