"""What a labeller is, what it answers, and the mean of several answers. Implementations: local LM, server, teacher."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from transfer.labellers.prompt import PromptSettings


@dataclass(frozen=True)
class Answer:
    """A labeller's answer for one comment.

    probabilities: one per label in the labels' order, each in [0, 1], sum 1; None where they are unknown.
    label: index of the label; None where there was none, also on the second request.
    raw: the words of an LLM, a line break between two requests, or in square brackets why there are none; None where
        labels were scored and nothing was written.
    tokens: read and written for this answer; 0 where that is unknown. written: how many of them were written.
    """

    probabilities: tuple[float, ...] | None
    label: int | None
    raw: str | None
    tokens: int
    written: int = field(default=0, compare=False)  # costs do not make two answers different


class Labeller(Protocol):
    """Predicts which label each comment has.

    `answer` yields (index into texts, Answer), each index once, in any order, as soon as it is known: a caller that
    stores each at once loses nothing to a fault or a kill, and passes only the missing texts the next time.
    A permanent fault raises UserError after everything known was yielded. An answer depends on its own text alone.
    Given the same list of texts on the same machine a local labeller's numbers are the same to the last bit; in another
    batch they differ by rounding (see local_labeller).
    """

    @property
    def identity(self) -> str:
        """sha256 in hex of the model, the prompt and all else that changes answers; never of how fast."""

    @property
    def description(self) -> Mapping[str, object]:
        """The same in readable form, fit for JSON, without secrets."""

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        """See the class."""

    def with_prompt(self, prompt: PromptSettings) -> Self:
        """The same labeller with another prompt; weights are loaded once for both."""


def identity_of(metadata: Mapping[str, object]) -> str:
    """sha256, in hex, of metadata that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(metadata, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def mean_answer(answers: Sequence[Answer], k: int) -> tuple[Answer, float | None]:
    """Several answers to one comment as one, and their agreement: the share of them with its label, None below two.

    Answers without a label are left out. Where all others have probabilities, these are averaged with equal weights,
    and the likeliest label is taken. Where one's confidence is unknown, so is that of the mean, for a label alone
    counts neither as 1 nor as an even guess: labels are then voted on; ties go to the mean of the known probabilities,
    then to the label that the plan names first. tokens and written are summed. k: number of labels.
    """
    import numpy as np

    given = [answer for answer in answers if answer.label is not None]
    tokens, written = sum(answer.tokens for answer in answers), sum(answer.written for answer in answers)
    if not given:
        return Answer(None, None, None, tokens, written), None
    known = [answer.probabilities for answer in given if answer.probabilities is not None]
    mean = np.mean(known, axis=0) if known else np.zeros(k)
    votes = np.bincount([answer.label for answer in given if answer.label is not None], minlength=k)
    sure = len(known) == len(given)
    label = int(np.argmax(mean if sure else votes + mean / 2))  # a mean is at most 1, so a vote outweighs it
    agreement = float(votes[label] / len(given)) if len(given) > 1 else None
    return Answer(tuple(mean.tolist()) if sure else None, label, None, tokens, written), agreement
