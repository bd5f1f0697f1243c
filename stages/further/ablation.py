"""The ablation: what original data, pseudo-labels and both give under one recipe, over several seeds."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from stages.further.ablation_figure import draw_ablation
from stages.further.comparison import SPLITS, compared, splits_of
from stages.further.control_arms import (
    BOTH,
    FIRST_ADAPTED,
    FIRST_UNADAPTED,
    ORIGINAL,
    PSEUDO,
    UNADAPTED,
    WHOLE,
    Arm,
    Controls,
)
from stages.further.control_runs import SelectedRecipe, run_controls
from stages.further.further_inputs import FurtherInputs, further_inputs
from stages.further.further_study import ADAPTED, NOT_ADAPTED, PRETRAINED, study_of, task_of
from stages.further.self_training_rounds import inputs_of_round
from stages.results.further_result import AblationResult, ArmComparison, ArmScores, FurtherResult
from stages.results.study_results import StudiesResult
from stages.runtime.adapted_encoders import adapted_folders, adapts, pretrained
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint, read_result, run_stage
from stages.study_runs.selection_split import NO_GOLD
from stages.study_runs.summaries import with_path
from stages.study_runs.table_rows import SIMULATED
from transfer.metrics.paired_bootstrap import mean_interval, mean_macro_f1, paired_macro_f1_difference
from transfer.metrics.scores import Ints
from transfer.training.recipe import Recipe

STAGE = AblationResult.stage
PICTURE = "ablation.png"
NO_LABELLER = {ORIGINAL, FIRST_ADAPTED, FIRST_UNADAPTED}  # trained on no pseudo-labels
# Each is compared with those that lack one thing.
COMPARED = {BOTH: (ORIGINAL, PSEUDO, UNADAPTED), FIRST_ADAPTED: (FIRST_UNADAPTED,)}


def run_ablation(run: Run) -> AblationResult:
    """Fits the selected recipe of stage two with either source alone and with both, `further.ablation_seeds` times
    each.

    A kill costs part of one fine-tune; more seeds add to those there are. Raises UserError where stage two is not done.
    """
    further = read_result(run, FurtherResult)
    recipe = _recipe(run, further, is_coordinator=True)
    arms, seeds = _arms(run, recipe.inputs), run.plan.further.ablation_seeds
    gold = recipe.inputs.gold
    parts = {
        "further": fingerprint(recipe.inputs.parts),
        "trial": [further.winner.round, recipe.trial],
        "arms": [arm.name for arm in arms],
        "gold (content)": gold.report.fingerprint if gold else None,
    }
    extent = {"seeds": seeds, "simulation": run.plan.is_simulation}
    picture = run.results / PICTURE
    work = partial(_ablation, run, recipe, arms, seeds)
    result = run_stage(run, AblationResult, parts, extent, work, lambda _: picture.is_file())
    return result.model_copy(update={"png": str(picture)})


def join_ablation(run: Run) -> StudiesResult:
    """Works on the ablation's fits from another process; the winner is stage two's."""
    further = read_result(run, FurtherResult)
    recipe = _recipe(run, further, is_coordinator=False)
    arms, seeds = _arms(run, recipe.inputs), run.plan.further.ablation_seeds
    found = run_controls(run, recipe, arms, seeds, is_coordinator=False)
    return with_path(run, StudiesResult(studies=[found.study], winner=further.winner))


def _arms(run: Run, inputs: FurtherInputs) -> Sequence[Arm]:
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


def _recipe(run: Run, further: FurtherResult, *, is_coordinator: bool) -> SelectedRecipe:
    """Stage two's winning trial, with its round's inputs, study and task, and the weights that the arms begin with."""
    number = further.winner.round
    teacher = further.rounds[number - 1].teacher if number > 1 else ()
    inputs = inputs_of_round(run, further_inputs(run), number, teacher, is_coordinator=is_coordinator)
    task = task_of(run, inputs, number)
    study = study_of(run, inputs, task, number)
    if adapts(run, "search"):
        candidate = inputs.winner.candidate
        more = {ADAPTED: str(adapted_folders(run)[candidate]), PRETRAINED: str(pretrained(run, candidate))}
        task = replace(task, starts={**task.starts, **more})
    return SelectedRecipe(inputs, study, task, further.winner.trial)


def _ablation(run: Run, recipe: SelectedRecipe, arms: Sequence[Arm], seeds: int) -> AblationResult:
    found = run_controls(run, recipe, arms, seeds, is_coordinator=True)
    rows = [
        row
        for split, (_, truth) in splits_of(recipe.inputs).items()
        for arm in arms
        if (row := _row(run, found, arm.name, split, truth)) is not None
    ]
    warnings = [] if recipe.inputs.gold else [f"stage two: {NO_GOLD}"]
    ended = {arm.name: len(found.seeds(arm.name)) for arm in arms}
    warnings += [f"{arm}: {n} of {seeds} seeds came to an end" for arm, n in ended.items() if n < seeds]
    title = f"{run.plan.name}: {recipe.inputs.winner.candidate} with the recipe of trial {recipe.trial}, {seeds} seeds"
    draw_ablation(rows, run.results / PICTURE, title, SIMULATED if run.plan.is_simulation else None)
    comparisons = _comparisons(run, recipe.inputs, found)
    return AblationResult(studies=[found.study], rows=rows, comparisons=comparisons, warnings=warnings)


def _row(run: Run, found: Controls, arm: str, split: str, truth: Ints) -> ArmScores | None:
    runs = [probabilities.argmax(axis=1) for probabilities in found.runs(arm, split)]
    if not runs:
        return None
    k = len(run.plan.labels)
    mean, low, high = mean_interval(runs, truth, k, seed=run.plan.seed)
    values = [mean_macro_f1([one], truth, k) for one in runs]
    return ArmScores(
        model=arm,
        stage=STAGE,
        split=SPLITS[split],
        n=len(truth),
        seeds=len(runs),
        accuracy=float(np.mean([one == truth for one in runs])),
        macro_f1=mean,
        low=low,
        high=high,
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        values=values,
        note=SIMULATED if run.plan.is_simulation and arm not in NO_LABELLER else "",
    )


def _comparisons(run: Run, inputs: FurtherInputs, found: Controls) -> list[ArmComparison]:
    """On the seeds that both arms came to the end of."""
    comparisons = []
    pairs = [(arm, other) for arm, others in COMPARED.items() for other in others]
    for split, (_, truth) in splits_of(inputs).items():
        for arm, other in pairs:
            both = sorted({*found.seeds(arm)} & {*found.seeds(other)})
            if not both:
                continue
            one, two = ([found.predictions[name, i][split].argmax(axis=1) for i in both] for name in (arm, other))
            difference = paired_macro_f1_difference(one, two, truth, len(run.plan.labels), seed=run.plan.seed)
            found_difference = compared(other, SPLITS[split], len(truth), difference)
            comparisons.append(ArmComparison(model=arm, **dict(found_difference)))
    return comparisons
