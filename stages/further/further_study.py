"""The study of a round of stage two: the task that its trials share, and the training data of a trial's parameters."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from stages.further.further_inputs import FurtherInputs
from stages.results.further_result import FurtherResult
from stages.results.stage_result import Interval
from stages.runtime.adapted_encoders import adapted_folders, adapts
from stages.runtime.prediction_cache import PredictionCache
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from stages.study_runs.selection_metric import SelectionMetric
from stages.study_runs.study_settings import (
    derived_seed,
    encoder_of,
    fitted_space,
    labelled_examples,
    resources,
    study_config,
)
from storage.records.model_registry import ModelRecord
from studies.space.defaults import default_mixing, default_space
from studies.study_config import StudyConfig
from studies.trials.trial_task import EvaluationSet, TrialTask
from transfer.encoders.model import depth, load_config, load_tokenizer, longest_input
from transfer.training.pseudo_label_mixing import DEFAULTS, PseudoLabelled, mix, single_source
from transfer.training.recipe import Examples, Recipe

if TYPE_CHECKING:
    pass

STAGE = FurtherResult.stage
# Weights to begin with besides those that the space's `start` knows.
NOT_ADAPTED, PRETRAINED, ADAPTED = -1, -2, -3
# Trial 0: a plain mixture, half and half, with the labeller's probabilities as they are, from the winner's weights.
PLAIN_MIXTURE = {**{name: value for name, value in DEFAULTS.items() if name != "epochs"}, "start": 1}


def task_of(run: Run, inputs: FurtherInputs, number: int = 1) -> TrialTask:
    """The task of every trial of a round."""
    plan, starts = run.plan, _starts(run, inputs)
    config, tokenizer = load_config(starts[1]), load_tokenizer(starts[1])
    default = {**default_space(depth(config)), **default_mixing()}
    space = fitted_space(plan.space("further", default), longest_input(config, tokenizer))
    tokens, original = encoder_of(tokenizer, space, run), inputs.original
    train = labelled_examples(original.train, tokens(original.train.texts), len(plan.labels))
    pseudo = PseudoLabelled(tokens(inputs.pseudo.texts), inputs.pseudo.label, inputs.pseudo.probabilities)
    return TrialTask(
        start=starts[1],
        starts=starts,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=derived_seed(plan.seed, 2, *([number] if number > 1 else [])),
        examples=partial(examples_of, train, pseudo),
        exams={
            "validation": EvaluationSet(tokens(original.validation.texts), original.validation.labels),
            "target": EvaluationSet(tokens(inputs.target.texts), inputs.target.truth),
        },
        value=_selection_metric(run, inputs).value,
        stage=STAGE,
        plan=plan.name,
        candidate=inputs.winner.candidate,
        called="" if number == 1 else f"{inputs.winner.candidate} {round_name(inputs, number)}",
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "start": inputs.starts[0].name},
        seeds=plan.further.seeds,
        patience=plan.further.patience,
        **resources(plan.search),
    )


def study_of(run: Run, inputs: FurtherInputs, task: TrialTask, number: int = 1) -> StudyConfig:
    """The study of a round; trial 0 has the winner's own recipe, and a plain mixture."""
    candidate, recipe = inputs.winner.candidate, inputs.starts[0].recipe
    own = {key: recipe[key] for key in asdict(Recipe()) if key in recipe}
    name = f"{run.plan.name} · {STAGE} · {candidate}"
    return study_config(
        run.plan.further,
        name=name if number == 1 else f"{name} · {round_name(inputs, number)}",
        direction="maximize",
        metric="macro_f1 on the target, less what the original loses",
        space=task.space,
        baseline=asdict(Recipe()) | own | PLAIN_MIXTURE,
        seed=task.seed,
        attributes={"candidate": candidate, "stage": STAGE, "target": inputs.target.source},
    )


def round_name(inputs: FurtherInputs, number: int) -> str:
    """A round's name in those of its study and models. It changes with the round's teacher: where more trials of the
    round before give another teacher, the trials of both must not mix."""
    return f"round {number} {fingerprint(inputs.parts)[:6]}"


def value_interval(run: Run, inputs: FurtherInputs, record: ModelRecord) -> Interval:
    """The value of a kept trial with its 95 % interval: see SelectionMetric.interval."""
    validation, target = inputs.original.validation, inputs.target
    contents = {"validation": validation.fingerprint}
    contents |= {"target": inputs.gold.tune.fingerprint} if inputs.gold else {}
    cache = PredictionCache(run, {"validation": validation.texts, "target": target.texts}, contents)
    predicted = {split: cache.of(record, split) for split in cache.splits}
    return Interval(**_selection_metric(run, inputs).interval(predicted))


def _starts(run: Run, inputs: FurtherInputs) -> dict[int, str]:
    """Folders of weights by the trial's parameter `start`."""
    starts = {i: str(run.files.fetch(record.path)) for i, record in enumerate(inputs.starts, start=1)}
    if adapts(run, "further"):
        starts |= {NOT_ADAPTED: starts[1], 1: str(adapted_folders(run)[inputs.winner.candidate])}
    return starts


def _selection_metric(run: Run, inputs: FurtherInputs) -> SelectionMetric:
    floor = inputs.starts[0].metrics["macro_f1"] - run.plan.further.tolerance
    return SelectionMetric(tuple(run.plan.labels), inputs.original.validation.labels, inputs.target.truth, floor)


def examples_of(train: Examples, pseudo: PseudoLabelled, params: Mapping[str, Any], seed: int) -> Examples:
    """What a trial trains on. params: as in `mix`, and `mixture`: "both", "original" or "pseudo" (one of the two in
    epochs as long as the mixture's), or "stage one" (all of the original data in every epoch)."""
    which = params.get("mixture", "both")
    if which == "stage one":
        return train
    if which == "both":
        return mix(train, pseudo, params, seed)
    return single_source(which, train, pseudo, params, seed)
