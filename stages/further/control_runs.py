"""Stage two's controls: what its selected recipe gives with one of the two sources alone, and over several seeds.

They are one study of listed trials besides stage two's own, so that a kill costs part of one fine-tune, and what was
run for the table of `further` counts for the ablation. Their weights are not kept, their predictions are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.trial import FixedTrial, TrialState

from stages.further.control_arms import ARMS, Arm, Controls, Predictions
from stages.further.further_inputs import FurtherInputs
from stages.runtime.run_context import Run, store_url
from stages.study_runs.study_runner import run_study
from stages.study_runs.study_settings import derived_seed, encoder_of
from stages.study_runs.summaries import summary
from studies.optuna_storage import open_optuna
from studies.sampling.enumerated_trials import SETTINGS, EnumeratedTrial
from studies.space.dimensions import Choices
from studies.space.suggest import suggest
from studies.study_config import StudyConfig
from studies.trials.model_record import answers_name
from studies.trials.trial_task import EvaluationSet, TrialTask

CONTROLS = "controls"


@dataclass(frozen=True)
class SelectedRecipe:
    """A trial of one of stage two's rounds, with all that it was made with: what the controls repeat."""

    inputs: FurtherInputs
    study: StudyConfig
    task: TrialTask
    trial: int


def run_controls(
    run: Run, recipe: SelectedRecipe, arms: Sequence[Arm], seeds: int, *, is_coordinator: bool
) -> Controls:
    """Fits each arm as often as asked, those that were before excepted."""
    study = optuna.load_study(study_name=recipe.study.name, storage=open_optuna(store_url(run.plan)))
    params = study.get_trials(deepcopy=False)[recipe.trial].params
    settings = suggest(FixedTrial(dict(params)), recipe.task.space)  # fixed ones included
    wanted = [_entry(recipe, arm, i, settings) for i in range(1, seeds + 1) for arm in arms]
    listed = replace(
        recipe.study,
        name=f"{recipe.study.name} · {CONTROLS}",
        space={"arm": Choices(choices=list(ARMS))},
        baseline={"epochs": settings["epochs"]},
        queue=wanted,
        pruner="none",
        keep=0,
        seeds=1,
        attributes={**recipe.study.attributes, "what": "stage two's controls"},
    )
    run.report.message(f"{listed.name}: {len(wanted)} trials")
    study = run_study(run, listed, control_task(run, recipe.inputs, recipe.task), is_coordinator=is_coordinator)
    return Controls(summary(study, 0), _predictions(run, study, {entry.key for entry in wanted}))


def control_task(run: Run, inputs: FurtherInputs, task: TrialTask) -> TrialTask:
    """The task of stage two, evaluated on gold's report half too: only the comparison reads that, no value does."""
    exams = dict(task.exams)
    if inputs.gold is not None:
        tokens = encoder_of(task.tokenizer, task.space, run)(inputs.gold.report.texts)
        exams["report"] = EvaluationSet(tokens, inputs.gold.report.labels)
    return replace(
        task, space={"arm": Choices(choices=list(ARMS))}, exams=exams, seeds=1, keeps_answers=True, stage="further"
    )


def _entry(recipe: SelectedRecipe, arm: Arm, i: int, settings: Mapping[str, Any]) -> EnumeratedTrial:
    # none of the search's or the recheck's, which come from fewer numbers; the same for all arms: they are paired
    seed = derived_seed(recipe.task.seed, recipe.trial, i, 1)
    attributes = {"of": recipe.trial, "number": i, "seed": seed, SETTINGS: {**settings, **arm.settings}}
    return EnumeratedTrial(f"{arm.name}, as trial {recipe.trial}, seed {i}", {"arm": arm.name}, attributes)


def _predictions(run: Run, study: optuna.Study, keys: set[str]) -> Predictions:
    found: Predictions = {}
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if trial.user_attrs["entry"] in keys:
            folder = run.files.fetch(answers_name(study.study_name, trial.number))
            read = {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
            found[trial.params["arm"], int(trial.user_attrs["number"])] = read
    return found
