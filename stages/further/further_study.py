"""The task that stage two's trials share, and how a trial's parameters become its training data."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from stages.further.further_inputs import Inputs
from stages.further.self_training_rounds import round_name
from stages.runtime.predictor import PredictionCache
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from stages.search.domain_adaptation import adapted_folders, adapts
from stages.study_runs.selection_metric import SelectionMetric
from stages.study_runs.study_runner import fitted_space, longest_of, resources
from storage.records.model_registry import ModelRecord
from studies.space.defaults import default_mixing, default_space
from studies.trial_task import EvaluationSet, TrialTask
from transfer.encoders.model import depth, load_config, load_tokenizer, longest_input
from transfer.encoders.tokenization import encode
from transfer.training.finetune import Examples, Recipe, one_hot
from transfer.training.pseudo_label_mixing import PLAIN, PseudoLabelled, alone, mix

STAGE = "further"
# Weights to begin with beside those that the space's `start` knows.
NOT_ADAPTED, PRETRAINED, ADAPTED = -1, -2, -3
# Trial 0: a plain mixture, half and half, with the labeller's own doubt kept, from the winner's weights.
PLAIN_MIXTURE = {**{name: value for name, value in PLAIN.items() if name != "epochs"}, "start": 1}


def task_of(run: Run, inputs: Inputs, number: int = 1) -> tuple[TrialTask, dict[str, Any]]:
    """The task of every trial of a round, and trial 0's parameters: the winner's own, and a plain mixture."""
    plan, labels = run.plan, run.plan.labels
    first, original, target, pseudo = inputs.starts[0], inputs.original, inputs.target, inputs.pseudo
    starts = {i: str(run.files.fetch(record.path)) for i, record in enumerate(inputs.starts, start=1)}
    if adapts(run, "further"):
        starts |= {NOT_ADAPTED: starts[1], 1: str(adapted_folders(run)[inputs.winner["candidate"]])}
    config, tokenizer = load_config(starts[1]), load_tokenizer(starts[1])
    default = {**default_space(depth(config)), **default_mixing()}
    space = fitted_space(plan.space("further", default), longest_input(config, tokenizer))
    longest = longest_of(space)
    train = Examples(
        encode(original.train.texts, tokenizer, longest, run.cache),
        one_hot(original.train.labels, len(labels)),
        np.ones(len(original.train.texts), dtype=np.float32),
    )
    learnt = PseudoLabelled(encode(pseudo.texts, tokenizer, longest, run.cache), pseudo.label, pseudo.probabilities)
    exams = {
        "validation": EvaluationSet(
            encode(original.validation.texts, tokenizer, longest, run.cache), original.validation.labels
        ),
        "target": EvaluationSet(encode(target.texts, tokenizer, longest, run.cache), target.truth),
    }
    task = TrialTask(
        start=starts[1],
        starts=starts,
        labels=labels,
        tokenizer=tokenizer,
        space=space,
        seed=_seed(plan.seed, number),
        examples=partial(examples_of, train, learnt),
        exams=exams,
        value=_yardstick(run, inputs).value,
        stage=STAGE,
        plan=plan.name,
        candidate=inputs.winner["candidate"],
        called="" if number == 1 else f"{inputs.winner['candidate']} {round_name(inputs, number)}",
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "start": first.name},
        seeds=plan.further.seeds,
        patience=plan.further.patience,
        **resources(plan.search),
    )
    recipe = {name: first.recipe[name] for name in asdict(Recipe()) if name in first.recipe}
    return task, asdict(Recipe()) | recipe | PLAIN_MIXTURE


def value_interval(run: Run, inputs: Inputs, record: ModelRecord) -> dict[str, float]:
    """The value of a kept trial with the `low` and `high` end of its 95 % interval: see SelectionMetric.interval."""
    validation, target = inputs.original.validation, inputs.target
    contents = {"validation": validation.fingerprint}
    contents |= {"target": inputs.gold.tune.fingerprint} if inputs.gold else {}
    readings = PredictionCache(run, {"validation": validation.texts, "target": target.texts}, contents)
    return _yardstick(run, inputs).interval({split: readings.of(record, split) for split in readings.splits})


def _yardstick(run: Run, inputs: Inputs) -> SelectionMetric:
    floor = inputs.starts[0].metrics["macro_f1"] - run.plan.further.tolerance
    return SelectionMetric(tuple(run.plan.labels), inputs.original.validation.labels, inputs.target.truth, floor)


def _seed(seed: int, number: int) -> int:
    """A round's own; the first has that of a plan without rounds."""
    parts = [seed, 2] if number == 1 else [seed, 2, number]
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def examples_of(train: Examples, learnt: PseudoLabelled, params: Mapping[str, Any], seed: int) -> Examples:
    """What a trial learns from. params: as in `mix`, and `mixture`: "both", "original" or "pseudo" (one of the two in
    epochs as long as the mixture's), or "stage one" (all of the original data in every epoch)."""
    which = params.get("mixture", "both")
    if which == "stage one":
        return train
    if which == "both":
        return mix(train, learnt, params, seed)
    return alone(which, train, learnt, params, seed)
