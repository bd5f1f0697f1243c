"""The ablation: what original data, pseudo-labels and both give under one recipe, over several seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.further.ablation_figure import draw_ablation
from stages.further.comparison import REPORT, SPLITS, splits_of
from stages.further.control_runs import (
    BOTH,
    FIRST_ADAPTED,
    FIRST_UNADAPTED,
    ORIGINAL,
    PSEUDO,
    UNADAPTED,
    WHOLE,
    Arm,
    Controls,
    run_controls,
)
from stages.further.further_inputs import Inputs, inputs_of
from stages.further.further_study import ADAPTED, NOT_ADAPTED, PRETRAINED, task_of
from stages.further.run_further import further_result, is_simulated, run_further, search_of, winning_round
from stages.further.selection_split import NO_GOLD
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, fingerprint
from stages.search.domain_adaptation import adapted_folders, adapts, pretrained
from stages.study_runs.study_runner import with_path
from stages.study_runs.table_rows import SIMULATED
from studies.study_config import StudyConfig
from studies.trial_task import TrialTask
from transfer.metrics.paired_bootstrap import mean_interval, mean_macro_f1, paired_macro_f1_difference
from transfer.training.recipe import Recipe

STAGE = "ablation"
PICTURE = "ablation.png"
Ints = NDArray[np.int64]
NO_LABELLER = {ORIGINAL, FIRST_ADAPTED, FIRST_UNADAPTED}  # had no part in what these learnt from
# Each is compared with those that lack one thing.
COMPARED = {BOTH: (ORIGINAL, PSEUDO, UNADAPTED), FIRST_ADAPTED: (FIRST_UNADAPTED,)}


def run_ablation(run: Run) -> dict[str, Any]:
    """Fits the chosen recipe of stage two with either source alone and with both, `further.ablation_seeds` times each.

    Does stage two first where it is not done. The result has `rows` (arm by split: `model`, `split`, `n`, `seeds`,
    `accuracy`, `macro_f1`, its `low` and `high`, `sd` over seeds, `values` of each seed), `comparisons` as stage two
    has them, `studies`, `png` and `warnings`. A kill costs part of one fine-tune; more seeds add to those there are.
    """
    result = run_further(run)
    winner, first = result["winner"], inputs_of(run)
    inputs, number = winning_round(run, first, result, leads=True)
    seeds, arms = run.plan.further.ablation_seeds, _arms(run, inputs)
    parts = {
        "further": fingerprint(inputs.parts),
        "trial": [number, winner["trial"]],
        "arms": [arm.name for arm in arms],
        "gold (content)": inputs.gold.report.fingerprint if inputs.gold else None,
    }
    extent = {"seeds": seeds, "simulation": is_simulated(run)}
    picture = run.results / PICTURE
    result = do_stage(
        run,
        STAGE,
        parts,
        extent,
        lambda: _ablation(run, inputs, number, winner, arms, seeds),
        lambda _: picture.is_file(),
    )
    return {**result, "png": str(picture)}


def join_ablation(run: Run) -> dict[str, Any]:
    """Helps with the ablation's fits from another process. The result has `studies` and `winner`."""
    result = further_result(run)
    winner = result["winner"]
    inputs, number = winning_round(run, inputs_of(run), result, leads=False)
    task, plan_of = _task(run, inputs, number)
    arms, seeds = _arms(run, inputs), run.plan.further.ablation_seeds
    found = run_controls(run, inputs, plan_of, task, winner["trial"], arms, seeds, leads=False)
    return with_path(run, {"studies": [found.study], "winner": winner})


def _arms(run: Run, inputs: Inputs) -> Sequence[Arm]:
    """The sources and, where the plan adapts to the comments' language, the same without that."""
    if adapts(run, "further"):
        return (*WHOLE, Arm(UNADAPTED, {"mixture": "both", "start": NOT_ADAPTED}))
    if not adapts(run, "search"):
        return WHOLE
    recipe = inputs.starts[0].recipe
    first = {name: recipe[name] for name in asdict(Recipe()) if name in recipe} | {"mixture": "stage one"}
    return (
        *WHOLE,
        Arm(FIRST_ADAPTED, {**first, "start": ADAPTED}),
        Arm(FIRST_UNADAPTED, {**first, "start": PRETRAINED}),
    )


def _task(run: Run, inputs: Inputs, number: int) -> tuple[TrialTask, StudyConfig]:
    """Stage two's task, with the weights that its arms begin with, and its study."""
    task, baseline = task_of(run, inputs, number)
    plan_of = search_of(run, inputs, task, baseline, number)
    if not adapts(run, "search"):
        return task, plan_of
    candidate = inputs.winner["candidate"]
    more = {ADAPTED: str(adapted_folders(run)[candidate]), PRETRAINED: str(pretrained(run, candidate))}
    return replace(task, starts={**task.starts, **more}), plan_of


def _ablation(
    run: Run, inputs: Inputs, number: int, winner: Mapping[str, Any], arms: Sequence[Arm], seeds: int
) -> dict[str, Any]:
    task, plan_of = _task(run, inputs, number)
    found = run_controls(run, inputs, plan_of, task, winner["trial"], arms, seeds, leads=True)
    rows = [
        row
        for exam, (_, truth) in splits_of(inputs).items()
        for arm in arms
        if (row := _row(run, found, arm.name, exam, truth)) is not None
    ]
    warnings = [] if inputs.gold else [f"stage two: {NO_GOLD}"]
    warnings += [f"{a}: {len(found.seeds(a))} of {seeds} seeds came to an end" for a in _short(found, arms, seeds)]
    draw_ablation(rows, run.results / PICTURE, _title(run, winner, seeds), SIMULATED if is_simulated(run) else None)
    return {
        "studies": [found.study],
        "rows": rows,
        "comparisons": _comparisons(run, inputs, found),
        "warnings": warnings,
    }


def _title(run: Run, winner: Mapping[str, Any], seeds: int) -> str:
    return f"{run.plan.name}: {winner['candidate']} with the recipe of trial {winner['trial']}, {seeds} seeds"


def _short(found: Controls, arms: Sequence[Arm], seeds: int) -> list[str]:
    return [arm.name for arm in arms if len(found.seeds(arm.name)) < seeds]


def _row(run: Run, found: Controls, arm: str, exam: str, truth: Ints) -> dict[str, Any] | None:
    runs = _predicted(found, arm, exam)
    if not runs:
        return None
    k = len(run.plan.labels)
    mean, low, high = mean_interval(runs, truth, k, seed=run.plan.seed)
    values = [mean_macro_f1([one], truth, k) for one in runs]
    return {
        "model": arm,
        "stage": STAGE,
        "split": SPLITS[exam],
        "n": len(truth),
        "seeds": len(runs),
        "accuracy": float(np.mean([one == truth for one in runs])),
        "macro_f1": mean,
        "low": low,
        "high": high,
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "values": values,
        "note": SIMULATED if is_simulated(run) and arm not in NO_LABELLER else "",
    }


def _comparisons(run: Run, inputs: Inputs, found: Controls) -> list[dict[str, Any]]:
    """On seeds that both came to the end of; a verdict on gold's report half alone, for the other chose the recipe."""
    told = []
    for exam, (_, truth) in splits_of(inputs).items():
        for arm, others in COMPARED.items():
            for other in others:
                both = sorted({*found.seeds(arm)} & {*found.seeds(other)})
                if not both:
                    continue
                pairs = [[found.answers[name, i][exam].argmax(axis=1) for i in both] for name in (arm, other)]
                difference = paired_macro_f1_difference(
                    pairs[0], pairs[1], truth, len(run.plan.labels), seed=run.plan.seed
                )
                shown = difference.as_dict() | ({} if SPLITS[exam] == REPORT else {"verdict": None})
                about = {"model": arm, "than": other, "split": SPLITS[exam], "n": len(truth)}
                told.append({**about, **shown})
    return told


def _predicted(found: Controls, arm: str, exam: str) -> list[Ints]:
    return [probabilities.argmax(axis=1) for probabilities in found.runs(arm, exam)]
