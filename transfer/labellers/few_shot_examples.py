"""Labelled comments shown in the prompt: written in the plan, or sampled from what people labelled.

The comment to be labelled is never among its own examples. Light: the plan imports this module.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transfer.text.cleaning import clean, key_hash

PER_LABEL = 2  # where the plan gives neither a number of each label nor one in all


class Example(BaseModel):
    """A comment with its label, shown in the prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="the comment")
    label: str = Field(description="its label, one of the plan's")


class SampledExamples(BaseModel):
    """How examples are sampled: from gold's tune half or from the original training data, never from gold's report
    half."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    source: Literal["gold", "original"] = Field(
        alias="from", description="gold: its tune half; original: the training data"
    )
    how: Literal["fixed", "diverse", "nearest"] = Field(
        "fixed",
        description="fixed: by lot, the same for all comments; diverse: the same for all, unlike one another; nearest: "
        "for each comment those most like it, which costs more, as prompts then share less",
    )
    per_label: int | None = Field(None, ge=1, le=50, description=f"of each label; null: {PER_LABEL}, or see count")
    count: int | None = Field(None, ge=1, le=200, description="in all, whatever their labels; instead of per_label")

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.per_label is not None and self.count is not None:
            raise ValueError("per_label and count exclude each other: how many of each label, or how many in all")
        return self

    @property
    def of_each(self) -> int | None:
        """How many of each label; None where `count` is the number in all."""
        return None if self.count is not None else (self.per_label or PER_LABEL)


class FewShotExamples(Protocol):
    """Which examples each comment's prompt shows.

    metadata: what decides that, fit for JSON, part of the labeller's identity; empty where they are the same for all.
    """

    @property
    def metadata(self) -> Mapping[str, object]:
        """See the class."""

    def for_texts(self, texts: Sequence[str]) -> list[tuple[Example, ...]]:
        """The examples for each text, none of them the text itself; the last stands next to the comment."""


class FixedExamples:
    """See FewShotExamples: the same examples for all."""

    metadata: Mapping[str, object] = {}

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = tuple(examples)

    def for_texts(self, texts: Sequence[str]) -> list[tuple[Example, ...]]:
        return [others(self._examples, text) for text in texts]


def others(examples: Sequence[Example], text: str) -> tuple[Example, ...]:
    """The examples that are not the text itself."""
    own = _key(text) if examples else ""
    return tuple(example for example in examples if _key(example.text) != own)


@lru_cache(maxsize=20_000)
def _key(text: str) -> str:
    return key_hash(clean(text))
