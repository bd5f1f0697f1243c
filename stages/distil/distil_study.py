"""The study of distillation: its trials train the student on the teacher's labels and on the original data."""

from dataclasses import asdict
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stages.distil.distil_inputs import DistilInputs
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from stages.study_runs.evaluation_splits import SELECTING
from stages.study_runs.refit import Job
from stages.study_runs.study_settings import fitted_space, longest_of, resources
from studies.study_config import StudyConfig
from studies.trials.trial_task import EvaluationSet, TrialTask
from transfer.encoders.model import load_config, load_tokenizer, longest_input
from transfer.encoders.tokenization import encode
from transfer.training.distillation_targets import distillation_examples
from transfer.training.published_recipes import published_recipe
from transfer.training.recipe import one_hot

STAGE = "distil"


def study_name(run: Run, inputs: DistilInputs) -> str:
    """Another teacher, student or sample makes another study."""
    return f"{run.plan.name} · {STAGE} · {inputs.settings.encoder} · {fingerprint(inputs.parts)[:8]}"


def job_of(run: Run, inputs: DistilInputs, predictions: NDArray[np.float32]) -> Job:
    """The study and its task. predictions: the teacher's, (N, K)."""
    config, tokenizer = load_config(inputs.start), load_tokenizer(inputs.start)
    baseline = asdict(published_recipe(inputs.settings.encoder, config.model_type))
    space = fitted_space({**baseline, **inputs.settings.space}, longest_input(config, tokenizer))
    tokens = partial(encode, tokenizer=tokenizer, max_length=longest_of(space), cache=run.cache)
    plan, splits, train = run.plan, inputs.splits, inputs.splits.original.train
    examples = distillation_examples(
        tokens(inputs.texts),
        predictions,
        tokens(train.texts),
        one_hot(train.labels, len(plan.labels)),
        temperature=inputs.settings.temperature,
        label_share=inputs.settings.labels,
    )
    task = TrialTask(
        start=inputs.start,
        labels=plan.labels,
        tokenizer=tokenizer,
        space=space,
        seed=int(np.random.SeedSequence([plan.seed, 3]).generate_state(1)[0]),
        examples=lambda params, seed: examples,
        exams={
            split: EvaluationSet(tokens(splits.texts[split]), splits.truth[split])
            for split in splits.those_of(SELECTING)
        },
        value=splits.selection_metric.value,
        stage=STAGE,
        plan=plan.name,
        candidate=inputs.settings.encoder,
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "teacher": inputs.teacher.members},
        **resources(plan.search),
    )
    trials = inputs.settings.trials
    study = StudyConfig(
        name=study_name(run, inputs),
        direction="maximize",
        metric="as the ensemble was chosen by",
        space=space,
        baseline=baseline,
        trials=trials,
        seed=task.seed,
        keep=1,
        attributes={"candidate": inputs.settings.encoder, "stage": STAGE, "budget": trials},
    )
    return Job(study, task)
