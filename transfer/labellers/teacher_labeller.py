"""Stage one's models as the labeller in place of an LLM: self-training on the new domain."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from transfer.labellers.labeller import Answer, identity_of
from transfer.labellers.prompt import PromptSettings

Probabilities = Callable[[Sequence[str]], NDArray[np.floating]]


class TeacherLabeller:
    """See transfer.labellers.labeller.Labeller.

    members: name -> fingerprint of each model, of which the identity is made. names: of the models as they are shown,
    where they differ from those. probabilities: their mean, (N, K) with rows that sum to 1, of N texts; called when
    `answer` is first iterated. Figures differ in their last digits with the texts of a batch.
    """

    def __init__(
        self, labels: Sequence[str], members: Mapping[str, str], probabilities: Probabilities, names: Sequence[str] = ()
    ) -> None:
        self._labels, self._members, self._probabilities = list(labels), dict(members), probabilities
        self._names = sorted(names or members)

    @cached_property
    def identity(self) -> str:
        return identity_of({**self.description, "members": self._members})

    @property
    def description(self) -> Mapping[str, object]:
        return {
            "kind": "teacher",
            "model": f"teacher: ensemble (mean of {len(self._names)})",
            "members": self._names,
            "labels": self._labels,
        }

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        for i, row in enumerate(np.asarray(self._probabilities(texts), dtype=np.float64) if texts else ()):
            yield i, Answer(tuple((row / row.sum()).tolist()), int(row.argmax()), None, 0)

    def with_prompt(self, prompt: PromptSettings) -> Self:
        return self
