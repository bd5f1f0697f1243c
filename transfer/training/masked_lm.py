"""Adapting an encoder to the language of unlabelled texts: masked-language modelling that can be saved at any step.

Gururangan et al., Don't Stop Pretraining (2020). An encoder without a masked-language head of its own, ELECTRA's
discriminator for instance, gets a new one: only the encoder is kept.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import torch
from accelerate import Accelerator

from transfer.cpu_kernels.apply import apply_to_masked_lm
from transfer.device.device import autocast_for
from transfer.encoders.hub import SAFELY, fetch_model
from transfer.encoders.tokenization import Indices, batches
from transfer.errors import UserError, first_line
from transfer.training.finetune import DivergedError, rate_shares, shuffled_batches
from transfer.training.oom_recovery import OomRecovery

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Mask = Literal["token", "word"]
GRADIENT_NORM = 1.0
WEIGHT_DECAY = 0.01
WARMUP_SHARE = 0.06  # RoBERTa's (Liu et al., 2019)
MOST_HELD_OUT = 500  # texts that the loss is measured on, before and after
HELD_OUT = 0.05


@dataclass(frozen=True)
class AdaptationSettings:
    """How an encoder is adapted. steps: optimiser steps; seconds: a limit to the time that they take, over all resumes.

    share: of tokens masked; of these 80 % are replaced by the mask and 10 % by a random token, all by the mask where
    whole words are masked (Devlin et al., BERT, 2019; the whole words are the authors' later release).
    """

    steps: int
    seconds: float | None = None
    batch_size: int = 32
    learning_rate: float = 5e-5
    share: float = 0.15
    mask: Mask = "token"
    max_length: int = 128


class DomainAdaptation:
    """An adaptation in progress; checkpoint.py saves and restores it between two steps.

    Same model, texts, settings and seed give the same weights to the last bit on one CPU with as many threads, also
    when it was saved and restored: what is masked follows from the seed and the number of the step.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        texts: Sequence[str],
        how: AdaptationSettings,
        seed: int,
        memory: OomRecovery | None = None,
    ) -> None:
        held = max(min(round(HELD_OUT * len(texts)), MOST_HELD_OUT), 1)
        self.held_out, self.texts = list(texts[:held]), list(texts[held:])
        if not self.texts:
            few = f"adapt: {len(texts)} comments are too few to learn their language from"
            raise UserError(few, "name more of them")
        self.tokenizer, self.how, self.seed = tokenizer, how, seed
        self.memory = memory or OomRecovery()
        self.epoch, self.step, self.loss = 0, 0, 0.0  # steps done, and the sum of their losses
        self.spent = 0.0  # seconds, in earlier attempts too
        self.accelerator = Accelerator(mixed_precision="no")
        torch.manual_seed(seed)
        self.memory.prepare(model)
        apply_to_masked_lm(model, self.accelerator.device.type)
        decays: list[torch.nn.Parameter] = [value for value in model.parameters() if value.ndim > 1]
        others = [value for value in model.parameters() if value.ndim <= 1]
        groups = [{"params": decays, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=how.learning_rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_shares(how.steps, WARMUP_SHARE))
        self.model = cast("PreTrainedModel", self.accelerator.prepare(model))
        self.optimizer = self.accelerator.prepare(optimizer)
        self._lengths: Indices = np.array([len(text) for text in self.texts])
        self._pass: tuple[int, list[Indices]] | None = None

    @property
    def is_done(self) -> bool:
        """Whether the budget of steps or of time is used up."""
        return self.step >= self.how.steps or (self.how.seconds is not None and self.spent >= self.how.seconds)

    def run(self, on_step: Callable[[int], None] = lambda texts: None) -> None:
        """All steps that are left. on_step: called with the number of texts of each; may save, or raise to stop.

        Raises DivergedError as soon as a loss or a gradient is not finite.
        """
        self.model.train()
        while not self.is_done:
            began = time.monotonic()
            rows = self._rows(self.step)
            self.loss += self._do(rows)
            self.step += 1
            self.spent += time.monotonic() - began
            on_step(len(rows))

    def held_out_loss(self) -> float:
        """Mean loss (nats) of the masked tokens of held-out texts, masked alike at every call."""
        self.model.eval()  # type: ignore[no-untyped-call]
        features = self._features(self.held_out)
        with torch.inference_mode():
            total, n = self._total(self._masked(features, -1), backward=False)
        self.model.train()
        return total / max(n, 1)

    def _rows(self, step: int) -> Indices:
        """The texts of a step, one pass over all of them after another."""
        per_pass = math.ceil(len(self.texts) / self.how.batch_size)
        number, place = divmod(step, per_pass)
        if self._pass is None or self._pass[0] != number:
            rng = np.random.default_rng([self.seed, number])
            every = np.arange(len(self.texts))
            self._pass = number, shuffled_batches(every, self._lengths, self.how.batch_size, rng)
        return self._pass[1][place]

    def _do(self, rows: Indices) -> float:
        batch = self._masked(self._features([self.texts[int(i)] for i in rows]), self.step)
        lengths = batch["attention_mask"].sum(dim=1).numpy()
        total, n = self.memory.fit(lambda: self._total(batch, backward=True), self.model, lengths)
        if n:
            norm = self.accelerator.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
            if not math.isfinite(total) or not math.isfinite(norm):
                raise DivergedError(f"adapting diverged in step {self.step + 1}: loss {total}, gradient norm {norm}")
            self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total / max(n, 1)

    def _features(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        words = self.how.mask == "word"
        read = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.how.max_length,
            return_special_tokens_mask=True,
            return_offsets_mapping=words,
            return_attention_mask=True,
            return_token_type_ids=False,
        )
        features: list[dict[str, Any]] = [{key: read[key][i] for key in read} for i in range(len(texts))]
        widest = max(len(feature["input_ids"]) for feature in features)
        for feature in features if words else ():  # the tokenizer pads everything but these
            feature["offset_mapping"] += [(0, 0)] * (widest - len(feature["offset_mapping"]))
        return features

    def _masked(self, features: list[dict[str, Any]], step: int) -> dict[str, torch.Tensor]:
        """(B, T) input_ids, attention_mask and labels, -100 where nothing is masked. step: -1 for held-out texts."""
        from transformers import DataCollatorForLanguageModeling

        words = self.how.mask == "word"
        collate = DataCollatorForLanguageModeling(
            self.tokenizer,
            mlm_probability=self.how.share,
            whole_word_mask=words,
            mask_replace_prob=1.0 if words else 0.8,
            random_replace_prob=0.0 if words else 0.1,
        )
        # set outright: its own `seed` works in a program's main process alone
        seed = np.random.SeedSequence([self.seed, step + 1, 4]).generate_state(1)[0]
        collate.generator = torch.Generator().manual_seed(int(seed))
        found: dict[str, torch.Tensor] = collate(features)
        return found

    def _total(self, batch: dict[str, torch.Tensor], *, backward: bool) -> tuple[float, int]:
        """Sum of the masked tokens' losses, and their number, a token budget at a time; with the mean's gradients."""
        n, total = int((batch["labels"] != -100).sum()), 0.0
        device = self.accelerator.device
        lengths = batch["attention_mask"].sum(dim=1).numpy()
        for micro in batches(lengths, self.memory.tokens) if n else ():
            width = int(lengths[micro].max())
            ids, mask, labels = (batch[k][micro, :width].to(device) for k in ("input_ids", "attention_mask", "labels"))
            with autocast_for(self.model, device.type):
                logits = self.model(input_ids=ids, attention_mask=mask).logits  # (B, T, V)
            wanted = labels != -100
            loss = torch.nn.functional.cross_entropy(logits[wanted].float(), labels[wanted], reduction="sum")
            if backward:
                self.accelerator.backward(loss / n)
            total += float(loss.detach())
        return total, n


def load_masked_lm(name: str | Path, seed: int) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """An encoder in float32 with a masked-language head, its own or a new one by `seed`, and its tokenizer.

    Raises UserError where transformers has no such head for it, or its tokenizer has no mask.
    """
    from transformers import AutoModelForMaskedLM

    from transfer.encoders.model import in_own_memory, load_tokenizer

    folder, tokenizer = fetch_model(str(name)), load_tokenizer(str(name))
    if tokenizer.mask_token is None:
        raise UserError(f"adapt: the tokenizer of '{name}' has no mask", "set adapt: null, or take another candidate")
    torch.manual_seed(seed)
    try:
        model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, **SAFELY)
    except (ValueError, OSError, RuntimeError, KeyError) as error:
        raise UserError(f"adapt: '{name}' cannot be made to fill in masked words", first_line(error)) from error
    return in_own_memory(cast("PreTrainedModel", model)), tokenizer


def take_encoder(model: "PreTrainedModel", folder: Path) -> None:
    """Puts the encoder's weights of a classifier's folder into `model`; what only one of them has stays as it is."""
    from transformers import AutoModelForSequenceClassification

    given = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, **SAFELY)
    model.base_model.load_state_dict(given.base_model.state_dict(), strict=False)


def save_adapted(model: "PreTrainedModel", source: Path, *, classifies: bool, folder: Path) -> None:
    """Writes `source` with the encoder of `model` in its place: head, pooler and tokenizer stay the source's.

    classifies: whether the source is a classifier, whose head is kept; else an encoder alone is written.
    """
    from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

    auto = AutoModelForSequenceClassification if classifies else AutoModel
    whole, info = auto.from_pretrained(source, dtype=torch.float32, output_loading_info=True, **SAFELY)
    left = whole.base_model.load_state_dict(model.base_model.state_dict(), strict=False)
    if left.unexpected_keys:
        raise UserError(f"adapt: the encoder of '{source}' has other weights than its masked-language model")
    # what was initialised at random (a pooler that the source lacks) is no part of it
    state = {name: value for name, value in whole.state_dict().items() if name not in info["missing_keys"]}
    whole.save_pretrained(folder, state_dict=state)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
