"""Token ids of the prompt, a comment and the labels by a causal LM's tokenizer.

Prompt and label are tokenised in one piece, since a tokenizer may join the end of one with the beginning of the other.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from transfer.errors import UserError
from transfer.labellers.few_shot_examples import Example
from transfer.labellers.local.label_likelihood import common_length
from transfer.labellers.prompt import OPEN, PromptSettings, frame, label_names, opening, quote, show, written_examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Replaces the comment while the chat template is filled in; no template trims or escapes it.
PLACEHOLDER = "COMMENT-STANDS-HERE"
# Some templates write today's date into the prompt, and an answer must not depend on the day.
DATE = "01 Jan 2025"


class LabelTokenization:
    """The prompt in the words and tokens of one tokenizer.

    before, after: text around the comment, the chat template's own included, the same for every comment.
    labels: K lists of token ids, none empty, that follow a prompt of `prompts`.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", settings: PromptSettings, labels: Sequence[str]) -> None:
        self._tokenizer, self._settings, self._names = tokenizer, settings, tuple(labels)
        self._reserved = special_tokens(tokenizer)
        head, (_, tail) = opening(settings, labels), frame(settings, labels)
        chat = bool(tokenizer.chat_template)
        text = self._template(head + PLACEHOLDER + tail) if chat else head + PLACEHOLDER + tail
        self._opening, _, self.after = text.partition(PLACEHOLDER)
        self.before = self._before(written_examples(settings))
        self._start = [] if chat else _start(tokenizer)  # a template writes its own beginning of text
        self._cut = 0
        names = label_names(settings, labels)
        # A model that is no chat model continues after the cue's colon with a space.
        answers = list(names) if chat else [f" {name}" for name in names]
        # what a chat model writes when its answer is complete
        complete = self._template(head + PLACEHOLDER + tail, names[0]) if chat else ""
        ending = complete.rpartition(names[0])[2].strip() or "\n"
        self.labels = self._label_ids(answers, ending)
        _require_apart(names, self.labels)

    def prompts(
        self, texts: Sequence[str], room: int | None = None, shown: Sequence[Sequence[Example]] | None = None
    ) -> list[list[int]]:
        """Token ids of the prompt for each comment; with `room`, comments are cut until the prompt fits into it.

        shown: each comment's examples; None: those that the settings spell out.
        Raises UserError where the prompt does not fit even without a comment.
        """
        quoted = [quote(text, self._settings.max_characters, self._reserved) for text in texts]
        befores = [self.before] * len(texts) if shown is None else [self._before(examples) for examples in shown]
        found = self._encode([before + text + self.after for before, text in zip(befores, quoted, strict=True)])
        for i, ids in enumerate(found):
            if room is not None and len(ids) > room:
                found[i] = self._fitted(befores[i], quoted[i], room)
        return [ids[: len(ids) - self._cut] for ids in found]

    def shared(self) -> list[int]:
        """Token ids that prompts begin with, up to the comment; where a comment joins the last of them, fewer match."""
        return self._encode([self.before])[0]

    def template(self, *, own_examples: bool) -> str:
        """The prompt with {comment} in the comment's place, and {examples} where each comment has its own."""
        before = f"{self._opening}{{examples}}{OPEN}\n" if own_examples else self.before
        return f"{before}{{comment}}{self.after}"

    def _before(self, examples: Sequence[Example]) -> str:
        return self._opening + show(self._settings, self._names, examples, self._reserved) + f"{OPEN}\n"

    def _fitted(self, before: str, quoted: str, room: int) -> list[int]:
        fixed = len(self._encode([before + self.after])[0])
        ids = self._encode([before + quoted + self.after])[0]
        while len(ids) > room and quoted:
            share = max(room - fixed, 0) / max(len(ids) - fixed, 1)
            quoted = quoted[: min(len(quoted) - 1, int(len(quoted) * share))]
            ids = self._encode([before + quoted + self.after])[0]
        if len(ids) > room:
            raise UserError(
                f"the prompt has {len(ids)} tokens without a comment, and the model reads {room}",
                "shorten its instruction, definitions or examples, or take a model with a longer context",
            )
        return ids

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)
        return [self._start + ids for ids in encoded["input_ids"]]

    def _label_ids(self, answers: Sequence[str], ending: str) -> list[list[int]]:
        """Token ids of the answers behind the prompt. Where a tokenizer joins the prompt's end with an answer, the
        prompt is cut back to what it keeps, and the rest counts as the answer's.
        Where one label's tokens begin another's ("sad", "sadness"), each is ended, so that the longer one's
        probability is not counted into the shorter one's.
        """
        prompt = self._encode([self.before + self.after])[0]
        whole = self._encode([self.before + self.after + answer for answer in answers])
        kept = min(common_length(prompt, ids) for ids in whole)
        if _one_begins_another([ids[kept:] for ids in whole]):
            whole = self._encode([self.before + self.after + answer + ending for answer in answers])
            kept = min(common_length(prompt, ids) for ids in whole)
        self._cut = len(prompt) - kept
        return [ids[kept:] for ids in whole]

    def _template(self, message: str, answer: str | None = None) -> str:
        turns = [{"role": "user", "content": message}]
        if answer is not None:
            turns.append({"role": "assistant", "content": answer})
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=answer is None, enable_thinking=False, date_string=DATE
        )
        return str(text)


def special_tokens(tokenizer: "PreTrainedTokenizerBase") -> frozenset[str]:
    """Strings that the tokenizer reads as control tokens wherever they stand, also inside of a comment."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return frozenset(added | set(tokenizer.all_special_tokens))


def _start(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """The beginning-of-text token where the tokenizer puts one; never the end-of-text token that some append."""
    ids = tokenizer("", add_special_tokens=True)["input_ids"]
    return list(ids[:1]) if ids and ids[0] == tokenizer.bos_token_id else []


def _one_begins_another(spelled: Sequence[Sequence[int]]) -> bool:
    return any(common_length(one, other) == len(one) for one, other in permutations(spelled, 2))


def _require_apart(names: Sequence[str], spelled: Sequence[Sequence[int]]) -> None:
    """Raises UserError where a name has no tokens, or the same as another."""
    seen: dict[tuple[int, ...], str] = {}
    for name, ids in zip(names, spelled, strict=True):
        other = seen.setdefault(tuple(ids), name)
        if not ids or other != name:
            what = f"and '{other}' are the same" if ids else "is nothing"
            raise UserError(f"'{name}' {what} to the model's tokenizer", "give the labels names that it can spell")
