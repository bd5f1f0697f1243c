"""The labelling stage: a sample of the comments, and gold, labelled by the plan's labellers; evaluated on gold."""

from collections.abc import Sequence

import numpy as np

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Pairs, sample_name, settings_of
from stages.datasets.run_data import data_of
from stages.label.gold_evaluation import evaluate_on_gold
from stages.label.labeller_agreement import figures_of_each
from stages.label.labeller_ensemble import (
    LabellerEnsemble,
    combined_description,
    combined_identity,
    labeller_ensembles,
)
from stages.label.labelling_cost import estimate_run, usage_of
from stages.label.labelling_loop import query_all
from stages.label.lm_tuning import Tuning, tuned_or_plain, tuning_of, tuning_parts
from stages.label.sample_selection import sample_comments, sample_origin
from stages.plan.schema import Plan
from stages.results.label_result import LabelResult, TuningResult
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import run_stage
from storage.records.pseudo_labels import LabelRow, labels_of, register_labeller
from transfer.errors import UserError


def run_label(run: Run) -> LabelResult:
    """Labels what is not labelled yet, and evaluates the labellers on gold.

    Raises UserError where κ is below the plan's `min_kappa`, after everything was kept.
    """
    settings = settings_of(run.plan)
    gold = data_of(run).gold
    ensembles = labeller_ensembles(run, gold)
    sample = sample_comments(run, gold)
    tunings = [tuning_of(run, ensemble, gold) for ensemble in ensembles]
    identity = combined_identity([ensemble.identity for ensemble in ensembles])
    parts = {
        "labeller": {"identity": identity, **combined_description(ensembles)},
        "sample": sample_name(run.plan),
        "gold (content)": [gold.tune.fingerprint, gold.report.fingerprint] if gold else None,
        "calibrate": settings.calibrate,
        **tuning_parts(tunings),
    }
    extent = {
        "simulation": settings.simulation,
        "sample": settings.sample,
        "gold": len(_gold_pairs(gold)),
        "min_kappa": settings.min_kappa,
    }
    return run_stage(run, LabelResult, parts, extent, lambda: _label(run, ensembles, tunings, sample, gold))


def _label(
    run: Run, ensembles: list[LabellerEnsemble], tunings: Sequence[Tuning | None], sample: Pairs, gold: Gold | None
) -> LabelResult:
    tuning_results = _tune(run, ensembles, tunings)
    comments, facts = [*_gold_pairs(gold), *sample], [ensemble.facts for ensemble in ensembles]
    identity = combined_identity([ensemble.identity for ensemble in ensembles])
    description = combined_description(ensembles)
    estimate = estimate_run(run, ensembles, comments, gold)
    register_labeller(run.engine, identity, description)
    asked = query_all(run, ensembles, comments)
    keys = [key for key, _ in comments]
    answers = {row.key: row for row in labels_of(run.engine, identity, keys)}
    labelled = [row for key, _ in sample if (row := answers.get(key)) and row.label is not None]
    labellers, between = figures_of_each(run, facts, keys, gold)
    result = LabelResult(
        labelled=len(labelled),
        missing=len(sample) - len(labelled),
        labeller=description,
        identity=identity,
        tuning=tuning_results,
        drawn=sample_origin(run),
        tokens=sum(row.tokens for row in answers.values()),
        asked=asked,
        estimate=estimate,
        usage=[usage_of(run, labeller, keys) for labeller in facts],
        simulation=settings_of(run.plan).simulation,
        shares=_shares(labelled, run.plan.labels),
        evaluation=evaluate_on_gold(run.plan, answers, gold),
        labellers=labellers,
        between=between,
    )
    _require_agreement(run.plan, result)
    return result


def _tune(run: Run, ensembles: list[LabellerEnsemble], tunings: Sequence[Tuning | None]) -> list[TuningResult]:
    """Puts the tuned labellers that gain in the plain ones' place."""
    results = []
    for i, tuning in enumerate(tunings):
        if tuning is not None:
            ensembles[i], result = tuned_or_plain(run, ensembles[i], tuning)
            results.append(result)
    return results


def _require_agreement(plan: Plan, result: LabelResult) -> None:
    least = settings_of(plan).min_kappa
    if least is None:
        return
    if result.kappa is None:
        raise UserError(f"pseudo_label.min_kappa: {least} is asked for, and no gold of several labels measures it")
    if not result.kappa.value >= least:
        raise UserError(
            f"pseudo_label.min_kappa: the labeller agrees with people at kappa {result.kappa.value:.2f}, "
            f"{least} is asked for",
            "its labels are kept; stage two is not begun",
            "describe the labels in pseudo_label.labeller.prompt.definitions, add examples, or take another model;",
            "or lower min_kappa, knowing that stage two will learn its errors",
        )


def _shares(rows: Sequence[LabelRow], labels: Sequence[str]) -> dict[str, float]:
    counts = np.bincount([row.label for row in rows if row.label is not None], minlength=len(labels))
    return {label: float(count / max(counts.sum(), 1)) for label, count in zip(labels, counts, strict=True)}


def _gold_pairs(gold: Gold | None) -> Pairs:
    halves = (gold.tune, gold.report) if gold else ()
    return [pair for half in halves for pair in zip(half.keys, half.texts, strict=True)]
