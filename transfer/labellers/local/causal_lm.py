"""A causal LM of transformers: its folder, configuration, tokenizer, dtype and weights."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from transfer.device.device import SMALLEST_BF16_WIDTH, has_bf16
from transfer.encoders.hub import SAFELY, fetch_config, fetch_model
from transfer.errors import UserError, first_line
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.local.weight_quantization import quantised

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CONTENT = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors", "pytorch_model*.bin")
# Tokenizers without a limit have an absurdly large number instead.
NO_LIMIT = 1_000_000


class CausalLM:
    """The model that the settings name, on one device. Configuration and tokenizer are read at once, weights when
    `model` is first used.

    where: the plan's key of the settings, put in front of every message.
    Raises UserError where the model's configuration or tokenizer cannot be had: no such folder or repository, gated,
    or no network.
    """

    def __init__(self, settings: LabellerSettings, device: str, where: str) -> None:
        from transformers import AutoConfig, AutoTokenizer

        self._settings, self.device, self._where = settings, device, where
        self._name = os.path.expanduser(os.path.expandvars(settings.model or ""))
        self._folder = self._fetch(weights=False)
        with self._explained("transformers cannot read its config.json"):
            self._config: PretrainedConfig = AutoConfig.from_pretrained(self._folder, trust_remote_code=False)
        with self._explained("its tokenizer cannot be loaded"):
            read = AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False)
        self.tokenizer: PreTrainedTokenizerBase = read

    @cached_property
    def model(self) -> "PreTrainedModel":
        """The weights, on the device. Raises UserError where transformers cannot load them, or not in this format."""
        from transformers import AutoModelForCausalLM

        folder, dtype = self._fetch(weights=True), self._dtype()
        how = quantised(self._settings.quantisation, self.device, dtype, self._where)
        with self._explained("transformers cannot load it as a causal LM"):
            model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **SAFELY, **how)
        return cast("PreTrainedModel", model.eval() if how else model.eval().to(self.device))

    def unload(self) -> None:
        self.__dict__.pop("model", None)

    @property
    def context(self) -> int | None:
        """Most tokens that the model reads, where it has such a limit."""
        limits = [getattr(self._text_config(), "max_position_embeddings", None), int(self.tokenizer.model_max_length)]
        known = [limit for limit in limits if limit is not None and 0 < limit < NO_LIMIT]
        return min(known) if known else None

    @cached_property
    def content(self) -> str:
        """The model's version: its commit on the hub, or a hash of the folder's content."""
        if self.commit:
            return f"{self._settings.model}@{self.commit}"
        digest = hashlib.sha256()
        for path in sorted({path for pattern in CONTENT for path in self._folder.glob(pattern)}):
            with path.open("rb") as file:
                digest.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()

    @property
    def commit(self) -> str | None:
        """The hub's commit; None for a folder."""
        return None if Path(self._name).is_dir() else self._folder.name

    def problem(self, what: str, error: BaseException) -> UserError:
        return UserError(f"{self._where}.model: '{self._settings.model}': {what}", first_line(error))

    def _dtype(self) -> torch.dtype:
        if self._settings.dtype == "auto":
            wide = int(getattr(self._text_config(), "hidden_size", 0)) >= SMALLEST_BF16_WIDTH
            return torch.bfloat16 if wide and has_bf16(self.device) else torch.float32
        return getattr(torch, self._settings.dtype)  # type: ignore[no-any-return]

    def _text_config(self) -> "PretrainedConfig":
        text: PretrainedConfig = self._config.get_text_config(decoder=True)
        return text

    def _fetch(self, *, weights: bool) -> Path:
        try:
            if weights:
                return fetch_model(self._name, self.commit or self._settings.revision)
            return fetch_config(self._name, self._settings.revision)
        except UserError as problem:
            raise UserError(f"{self._where}.model: {str(problem).removeprefix('candidate ')}") from problem

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError, RuntimeError, KeyError, ImportError) as error:
            raise self.problem(what, error) from error
