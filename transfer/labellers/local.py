"""A labeller on this machine: any causal LM of transformers, which scores every label and writes nothing.

In float32 a probability changes by less than 1e-4 with the company in which a comment is read; in bfloat16 by some
hundredths, as that format has three digits.
"""

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import torch

from transfer.device import SMALLEST_BF16_WIDTH, has_bf16
from transfer.hub import fetch_config, fetch_model
from transfer.labellers.answer import Answer, identity_of
from transfer.labellers.examples import Shots, Written
from transfer.labellers.prompt import PromptSettings, label_names, written_examples
from transfer.labellers.scoring import Shared, batches, encode_shared, label_scores
from transfer.labellers.settings import WHERE, LabellerSettings, require_labeller
from transfer.labellers.spelling import Spelling
from transfer.problem import Problem

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CONTENT = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors", "pytorch_model*.bin")
# Tokenizers without a limit of their own say so by an absurd number.
NO_LIMIT = 1_000_000


def local_labeller(
    settings: LabellerSettings, labels: Sequence[str], device: str, where: str = WHERE, shots: Shots | None = None
) -> "LocalLabeller":
    """A labeller that scores with `settings.model` on `device`; weights are loaded when `answer` is first iterated.

    where: the plan's key of the settings, put in front of every message. shots: the examples that prompts show; None:
    those that the settings spell out.
    Raises Problem where the model's configuration or tokenizer cannot be had: no such folder or repository, gated,
    or no network; and where the prompt does not fit the labels.
    """
    require_labeller(settings, labels, where)
    return LocalLabeller(settings, labels, device, where, shots)


class LocalLabeller:
    """See transfer.labellers.answer.Labeller. One device, one thread."""

    def __init__(
        self, settings: LabellerSettings, labels: Sequence[str], device: str, where: str, shots: Shots | None = None
    ) -> None:
        self._shots, self._first = shots or Written(written_examples(settings.prompt)), self
        self._settings, self._labels, self._device, self._where = settings, tuple(labels), device, where
        self._name = os.path.expanduser(os.path.expandvars(settings.model or ""))
        self._folder = self._fetch(weights=False)
        self._config = self._load_config()
        self._spelling = self._spell()

    @cached_property
    def identity(self) -> str:
        # Wherever a folder lies, its content counts.
        return identity_of({**self.description, "model": self._content(), "tokens": self._spelling.labels})

    @property
    def description(self) -> Mapping[str, object]:
        return {
            "kind": "local",
            "model": self._settings.model,
            "revision": self._commit() or self._settings.revision,
            "dtype": self._settings.dtype,
            "labels": list(self._labels),
            "names": list(label_names(self._settings.prompt, self._labels)),
            "prompt": self._spelling.shape(drawn=bool(self._shots.facts)),
            "max_characters": self._settings.prompt.max_characters,
            "length_normalised": self._settings.length_normalised,
            **self._shots.facts,
        }

    def asking(self, prompt: PromptSettings) -> Self:
        """See transfer.labellers.answer.Labeller. The weights are those of the labeller that was asked for it."""
        other = copy(self)
        for known in ("identity", "_shared", "_model"):
            other.__dict__.pop(known, None)
        other._settings = self._settings.model_copy(update={"prompt": prompt})
        other._spelling = other._spell()
        return other

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        """See transfer.labellers.answer.Labeller."""
        prompts = self._prompts(texts) if texts else []
        longest_label = max(map(len, self._spelling.labels))
        for batch in batches([len(ids) + longest_label for ids in prompts], self._settings.batch_tokens):
            for i, scores in zip(batch, self._scores([prompts[i] for i in batch]), strict=True):
                yield i, self._answer_from(scores, len(prompts[i]))

    @cached_property
    def _model(self) -> "PreTrainedModel":
        if self._first is not self:
            return self._first._model
        from transformers import AutoModelForCausalLM

        folder = self._fetch(weights=True)
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=self._dtype(), use_safetensors=True, trust_remote_code=False
            )
        except (ValueError, OSError, RuntimeError, KeyError) as error:
            raise self._problem("transformers cannot load it as a causal LM", error) from error
        return cast("PreTrainedModel", model.eval().to(self._device))

    @cached_property
    def _shared(self) -> Shared | None:
        return encode_shared(self._model, self._spelling.shared())

    def _scores(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """(B, K) float32. A batch that the device has no room for is halved, as often as needed."""
        try:
            return label_scores(self._model, prompts, self._spelling.labels, self._shared)
        except torch.OutOfMemoryError as error:
            if len(prompts) == 1:
                raise Problem(
                    f"{self._where}: {self._device} has no room for '{self._settings.model}' and one comment",
                    "take a smaller model, dtype: bfloat16, or a server (base_url)",
                ) from error
        half = len(prompts) // 2
        return torch.cat([self._scores(prompts[:half]), self._scores(prompts[half:])])

    def _answer_from(self, scores: torch.Tensor, tokens: int) -> Answer:
        if self._settings.length_normalised:
            scores = scores / torch.tensor([len(label) for label in self._spelling.labels])
        probabilities = tuple(scores.double().softmax(-1).tolist())
        if any(map(math.isnan, probabilities)):
            raise Problem(
                f"{self._where}: '{self._settings.model}' gives scores that are no numbers",
                f"dtype is {self._settings.dtype}; some models overflow in float16: set dtype: float32 or bfloat16",
            )
        label = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Answer(probabilities, label, None, tokens)

    def _prompts(self, texts: Sequence[str]) -> list[list[int]]:
        longest_label = max(map(len, self._spelling.labels))
        limit = self._context()
        try:
            return self._spelling.prompts(
                texts, None if limit is None else limit - longest_label, self._shots.of(texts)
            )
        except Problem as problem:
            raise Problem(f"{self._where}.prompt: {problem}") from problem

    def _context(self) -> int | None:
        """Most tokens that the model reads, where it has such a limit."""
        limits = [getattr(self._text_config(), "max_position_embeddings", None), self._spelling.longest]
        known = [limit for limit in limits if limit is not None and 0 < limit < NO_LIMIT]
        return min(known) if known else None

    def _dtype(self) -> torch.dtype:
        if self._settings.dtype == "auto":
            wide = int(getattr(self._text_config(), "hidden_size", 0)) >= SMALLEST_BF16_WIDTH
            return torch.bfloat16 if wide and has_bf16(self._device) else torch.float32
        return getattr(torch, self._settings.dtype)  # type: ignore[no-any-return]

    def _text_config(self) -> "PretrainedConfig":
        text: PretrainedConfig = self._config.get_text_config(decoder=True)
        return text

    def _content(self) -> str:
        """What tells this model from others: its commit on the hub, or a hash of the folder's content."""
        commit = self._commit()
        if commit:
            return f"{self._settings.model}@{commit}"
        found = hashlib.sha256()
        for path in sorted({path for pattern in CONTENT for path in self._folder.glob(pattern)}):
            with path.open("rb") as file:
                found.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return found.hexdigest()

    def _commit(self) -> str | None:
        return None if Path(self._name).is_dir() else self._folder.name

    def _fetch(self, *, weights: bool) -> Path:
        try:
            if weights:
                return fetch_model(self._name, self._commit() or self._settings.revision)
            return fetch_config(self._name, self._settings.revision)
        except Problem as problem:
            raise Problem(f"{self._where}.model: {str(problem).removeprefix('candidate ')}") from problem

    def _load_config(self) -> "PretrainedConfig":
        from transformers import AutoConfig

        try:
            config: PretrainedConfig = AutoConfig.from_pretrained(self._folder, trust_remote_code=False)
        except (ValueError, OSError, KeyError) as error:
            raise self._problem("transformers cannot read its config.json", error) from error
        return config

    def _spell(self) -> Spelling:
        from jinja2 import TemplateError

        tokenizer = self._load_tokenizer()
        try:
            return Spelling(tokenizer, self._settings.prompt, self._labels)
        except Problem as problem:
            raise Problem(f"{self._where}.prompt.names: {problem}") from problem
        except TemplateError as error:
            raise self._problem("its chat template cannot be filled in", error) from error

    def _load_tokenizer(self) -> "PreTrainedTokenizerBase":
        from transformers import AutoTokenizer

        try:
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False)
        except (ValueError, OSError, KeyError, ImportError) as error:
            raise self._problem("its tokenizer cannot be loaded", error) from error
        return tokenizer

    def _problem(self, what: str, error: BaseException) -> Problem:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        return Problem(f"{self._where}.model: '{self._settings.model}': {what}", first)
