"""From a plan's settings to what a study and its trials are given."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stages.plan.plan_settings import FurtherSettings, SearchSettings
from stages.runtime.run_context import Run
from studies.sampling.algorithm_names import SamplerName, hyperband_warning
from studies.space.dimensions import Choices, Dimension, Range, Space, fixed_value, has_conditions
from studies.study_config import StudyConfig
from transfer.corpus.labelled import Labelled
from transfer.encoders.tokenization import Tokens, encode, tokens_identity
from transfer.training.recipe import Examples, one_hot

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def study_config(
    settings: SearchSettings | FurtherSettings,
    *,
    name: str,
    direction: Literal["maximize", "minimize"],
    metric: str,
    space: Space,
    baseline: Mapping[str, Any],
    seed: int,
    attributes: Mapping[str, Any],
) -> StudyConfig:
    """A study of trials as the plan's settings have them sampled, pruned, kept and limited."""
    return StudyConfig(
        name=name,
        direction=direction,
        metric=metric,
        space=space,
        baseline=baseline,
        trials=settings.trials,
        seed=seed,
        sampler=settings.sampler,
        pruner=settings.pruner,
        keep=settings.keep,
        seeds=settings.seeds,
        timeout=None if settings.timeout is None else 60 * settings.timeout,  # in seconds
        attributes=attributes,
    )


def fitted_space(space: Mapping[str, Dimension], most: int) -> dict[str, Dimension]:
    """The space with max_length held to what the encoder takes; dropping in silence would train on other lengths."""
    length = space["max_length"]
    if isinstance(length, Choices):
        fitting = sorted({min(int(choice), most) for choice in length.choices})
        return {**space, "max_length": Choices(choices=list(fitting))}
    if isinstance(length, Range):
        low, high = min(int(length.low), most), min(int(length.high), most)
        return {**space, "max_length": length.model_copy(update={"low": low, "high": high})}
    return {**space, "max_length": min(int(fixed_value(length)), most)}


def resources(settings: SearchSettings) -> dict[str, Any]:
    """What a trial may take up, as fields of a Task: memory and time. It is no part of any fingerprint."""
    minutes = settings.trial_timeout
    return {
        "token_budget": settings.token_budget,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "time_limit": None if minutes is None else 60 * minutes,
    }


def derived_seed(*parts: int) -> int:
    """A seed that follows from several numbers; a zero at the end changes nothing."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def encoder_of(tokenizer: "PreTrainedTokenizerBase", space: Space, run: Run) -> Callable[[Sequence[str]], Tokens]:
    """What makes tokens of texts, as many of each as a trial of the space may read.

    The run keeps them: a later stage that reads the same texts with the same tokenizer gets the same object.
    """
    longest = longest_of(space)

    def tokens_of(texts: Sequence[str]) -> Tokens:
        name = f"tokens {tokens_identity(texts, tokenizer, longest)}"
        if name not in run.loaded:
            run.loaded[name] = encode(texts, tokenizer, longest, run.cache)
        tokens = run.loaded[name]
        assert isinstance(tokens, Tokens)
        return tokens

    return tokens_of


def labelled_examples(rows: Labelled, tokens: Tokens, k: int) -> Examples:
    """Human-labelled rows to train on, all of the same weight. k: number of labels."""
    return Examples(tokens, one_hot(rows.labels, k), np.ones(len(rows), dtype=np.float32))


def longest_of(space: Mapping[str, Dimension]) -> int:
    """The most tokens that a trial of the space may read."""
    length = space["max_length"]
    if isinstance(length, Choices):
        return max(int(choice) for choice in length.choices)
    return int(length.high if isinstance(length, Range) else fixed_value(length))


# A Gaussian process takes about 7 s to propose from 300 trials on one core (TPE 0.1 s), and grows with their cube.
GP_TRIALS = 300


def search_warnings(study: StudyConfig) -> list[str]:
    warnings = []
    if study.pruner == "hyperband":
        warnings.append(hyperband_warning(study.name, study.trials, study.most_steps))
    if study.sampler == "gp" and study.trials > GP_TRIALS:
        warnings.append(f"the gp sampler is slow beyond about {GP_TRIALS} trials, got {study.trials}; tpe is not")
    warnings.append(_condition_warning(study.sampler, study.space))
    return [f"{study.name}: {warning}" for warning in warnings if warning]


def _condition_warning(sampler: SamplerName, space: Space) -> str | None:
    if sampler in {"gp", "qmc"} and has_conditions(space):
        return (
            f"the {sampler} sampler samples parameters with a condition (`when`) at random; tpe learns from trials "
            "about them, too"
        )
    return None
