"""What a labeller is and what it answers. Several there are: a local LM, a server; others may come."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from transfer.labellers.prompt import PromptSettings


@dataclass(frozen=True)
class Answer:
    """What an LLM says of one comment.

    probabilities: one per label in the labels' order, each in [0, 1], sum 1; None where they are not known,
        which is not the same as 0 or 1.
    label: index of the label; None where the LLM gave no label, also when asked again.
    raw: its own words, a line break between two times of asking, or in square brackets why there are none;
        None where it was scored and wrote nothing.
    tokens: what was read and written for this answer, in tokens; 0 where that is not known.
    written: how many of them were written.
    """

    probabilities: tuple[float, ...] | None
    label: int | None
    raw: str | None
    tokens: int
    written: int = field(default=0, compare=False)  # what an answer cost is no part of what it says


class Labeller(Protocol):
    """Answers which label each comment has.

    `answer` yields (index into texts, Answer), each index once, in any order, as soon as it is known: a caller
    that keeps each one when it comes loses nothing to a fault or a kill, and asks again for what is missing.
    A fault that cannot pass raises UserError after everything known was yielded.
    An answer depends on its own text and on nothing else. Given the same list of texts on the same machine a local
    labeller's numbers are the same to the last bit; in another batch they differ by rounding (see local.py).
    """

    @property
    def identity(self) -> str:
        """sha256 in hex of the model, the prompt and all else that changes answers; never of how fast."""

    @property
    def description(self) -> Mapping[str, object]:
        """The same in readable form, fit for JSON, without secrets."""

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        """See the class."""

    def asking(self, prompt: PromptSettings) -> Self:
        """The same labeller asked with another prompt: what is heavy is loaded once for both."""


def identity_of(facts: Mapping[str, object]) -> str:
    """sha256, in hex, of facts that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
