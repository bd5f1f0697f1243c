"""A labeller on this machine: any causal LM of transformers, which scores every label and writes nothing.

In float32 a probability changes by less than 1e-4 with the other comments of its batch; in bfloat16 by some hundredths,
as that format has three digits.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from transfer.encoders.tokenization import batches
from transfer.errors import UserError
from transfer.labellers.few_shot_examples import FewShotExamples, FixedExamples
from transfer.labellers.labeller import Answer, identity_of
from transfer.labellers.labeller_settings import WHERE, LabellerSettings, require_labeller
from transfer.labellers.local.causal_lm import CausalLM
from transfer.labellers.local.label_likelihood import Shared, encode_shared, label_scores
from transfer.labellers.local.label_tokenization import LabelTokenization
from transfer.labellers.local.peft_adapter import Adapter, Attached, attach
from transfer.labellers.prompt import PromptSettings, label_names, written_examples

if TYPE_CHECKING:
    from transformers import PreTrainedModel


# Texts whose prompts are in memory, and sorted by length, at a time.
WINDOW = 1024


@dataclass(frozen=True)
class LabellingPrompt:
    """Prompts and labels in token ids.

    prompts: N lists. labels: K lists, which follow a prompt. beginning: what prompts share. words: of labels and
    beginning, initial values of a soft prompt. divisors: (K,) tokens of each label where scores are divided by them.
    """

    prompts: list[list[int]]
    labels: list[list[int]]
    beginning: list[int]
    words: list[int]
    divisors: torch.Tensor | None

    def normalised(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores (B, K) as the softmax over labels takes them."""
        return scores if self.divisors is None else scores / self.divisors.to(scores.device)


class LocalLabeller:
    """Scores the labels with `settings.model` on one device, from one thread; see labeller.Labeller.

    Arguments as of labeller_factory.make_labeller. adapter: of peft_tuning, used with the model. Raises UserError where
    the settings do not fit the labels, and as CausalLM does.
    """

    def __init__(
        self,
        settings: LabellerSettings,
        labels: Sequence[str],
        device: str,
        where: str = WHERE,
        examples: FewShotExamples | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        require_labeller(settings, labels, where)
        self.settings, self._labels, self.where, self._adapter = settings, tuple(labels), where, adapter
        self._examples, self._origin = examples or FixedExamples(written_examples(settings.prompt)), self
        self._device = device
        self._lm = CausalLM(settings, device, where)
        self._tokenization = self._tokenize_labels()

    def adapted(self, folder: Path) -> "LocalLabeller":
        """The same labeller with the adapter in `folder`, as transfer.labellers.local.peft_tuning saved it.

        Raises UserError where there is none that can be read.
        """
        adapter = Adapter.of(folder)
        return LocalLabeller(self.settings, self._labels, self._device, self.where, self._examples, adapter)

    def with_prompt(self, prompt: PromptSettings) -> Self:
        other = copy(self)
        for known in ("identity", "_shared", "model", "_attached"):
            other.__dict__.pop(known, None)
        other.settings = self.settings.model_copy(update={"prompt": prompt})
        other._tokenization = other._tokenize_labels()
        return other

    @cached_property
    def identity(self) -> str:
        # Wherever a folder lies, its content counts.
        return identity_of({**self.description, "model": self._lm.content, "tokens": self._tokenization.labels})

    @property
    def description(self) -> Mapping[str, object]:
        return {
            "kind": "local",
            "model": self.settings.model,
            "revision": self._lm.commit or self.settings.revision,
            "dtype": self.settings.dtype,
            "labels": list(self._labels),
            "names": list(label_names(self.settings.prompt, self._labels)),
            "prompt": self._tokenization.template(own_examples=bool(self._examples.metadata)),
            "max_characters": self.settings.prompt.max_characters,
            "length_normalised": self.settings.length_normalised,
            **self._examples.metadata,
            # changes of the model; none where there are none, so that identities stored earlier stay
            **({} if self.settings.quantisation == "none" else {"quantisation": self.settings.quantisation}),
            **({} if self._adapter is None else {"adapter": self._adapter.description}),
        }

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        virtual = self._adapter.virtual if self._adapter else 0
        for first in range(0, len(texts), WINDOW):
            task = self.task(texts[first : first + WINDOW], virtual)
            longest = max(map(len, task.labels)) + virtual
            for batch in batches(np.array([len(ids) + longest for ids in task.prompts]), self.settings.batch_tokens):
                for i, scores in zip(batch, self._scores([task.prompts[i] for i in batch]), strict=True):
                    yield first + i, self._answer_from(task.normalised(scores), len(task.prompts[i]))

    def task(self, texts: Sequence[str], virtual: int = 0) -> LabellingPrompt:
        """The prompts of the texts where `virtual` tokens stand in front."""
        labels, beginning = self._tokenization.labels, self._tokenization.shared()
        words = [*(token for label in labels for token in label), *beginning]
        divisors = torch.tensor([len(label) for label in labels]) if self.settings.length_normalised else None
        return LabellingPrompt(self._prompts(texts, virtual) if texts else [], labels, beginning, words, divisors)

    def unload(self) -> None:
        for name in ("model", "_shared", "_attached"):
            self.__dict__.pop(name, None)
        self._lm.unload()
        if self._origin is not self:
            self._origin.unload()

    @cached_property
    def model(self) -> "PreTrainedModel":
        return self._attached.model if self._attached else self._lm.model

    @cached_property
    def _attached(self) -> Attached | None:
        if self._origin is not self:
            return self._origin._attached
        return None if self._adapter is None else attach(self._lm.model, self._adapter)

    @cached_property
    def _shared(self) -> Shared:
        return encode_shared(
            self.model, self._tokenization.shared(), self._attached.virtual if self._attached else None
        )

    def _scores(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """(B, K) float32. A batch that the device has no room for is halved, as often as needed."""
        try:
            return label_scores(self.model, prompts, self._tokenization.labels, self._shared)
        except torch.OutOfMemoryError as error:
            if len(prompts) == 1:
                raise UserError(
                    f"{self.where}: {self._device} has no room for '{self.settings.model}' and one comment",
                    "take a smaller model, dtype: bfloat16, or a server (base_url)",
                ) from error
        half = len(prompts) // 2
        return torch.cat([self._scores(prompts[:half]), self._scores(prompts[half:])])

    def _answer_from(self, scores: torch.Tensor, tokens: int) -> Answer:
        probabilities = tuple(scores.double().softmax(-1).tolist())
        if any(map(math.isnan, probabilities)):
            raise UserError(
                f"{self.where}: '{self.settings.model}' gives scores that are no numbers",
                f"dtype is {self.settings.dtype}; some models overflow in float16: set dtype: float32 or bfloat16",
            )
        label = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Answer(probabilities, label, None, tokens)

    def _prompts(self, texts: Sequence[str], virtual: int) -> list[list[int]]:
        taken = max(map(len, self._tokenization.labels)) + virtual
        room = None if self._lm.context is None else self._lm.context - taken
        try:
            return self._tokenization.prompts(texts, room, self._examples.for_texts(texts))
        except UserError as problem:
            raise UserError(f"{self.where}.prompt: {problem}") from problem

    def _tokenize_labels(self) -> LabelTokenization:
        from jinja2 import TemplateError

        try:
            return LabelTokenization(self._lm.tokenizer, self.settings.prompt, self._labels)
        except UserError as problem:
            raise UserError(f"{self.where}.prompt.names: {problem}") from problem
        except TemplateError as error:
            raise self._lm.problem("its chat template cannot be filled in", error) from error
