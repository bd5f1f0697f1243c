"""What a server's answers will cost, estimated from the letters, since its tokenizer is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

from transfer.labellers.few_shot_examples import Example, SampledExamples
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.prompt import frame, label_names, quote, show, variants

# Tokens a character, a rule of thumb: English words, and Korean, Japanese or Chinese.
LATIN, OTHER = 0.25, 0.7
AROUND = 8  # tokens that a chat template puts around a message


@dataclass(frozen=True)
class Estimate:
    """questions: requests, without second ones. tokens: read and written, estimated; written: of these.

    money: in `currency`, both None where the plan names no prices.
    """

    questions: int
    tokens: int
    written: int
    money: float | None
    currency: str | None


def estimate_cost(
    settings: LabellerSettings,
    labels: Sequence[str],
    questions: Sequence[int],
    texts: Sequence[str],
    pool: Sequence[Example] = (),
) -> Estimate:
    """What `questions` comments will cost, so many for each of the settings' prompts.

    texts: some of the comments, whose mean length stands for all. pool: the rows that examples are from.
    """
    prompt = settings.prompt
    comment = _mean([quote(text, prompt.max_characters) for text in texts])
    if isinstance(prompt.examples, SampledExamples) and pool:
        n = prompt.examples.count or (prompt.examples.of_each or 0) * len(labels)
        comment += n * _mean([show(prompt, labels, [example]) for example in pool])
    answer = max(round(_mean(label_names(prompt, labels))), 1)
    frames = [estimated_tokens("".join(frame(one, labels))) for one in variants(prompt, labels)]
    read = sum(count * (fixed + AROUND + comment) for fixed, count in zip(frames, questions, strict=True))
    written = sum(questions) * answer
    tokens, prices = round(read) + written, settings.prices
    money, currency = (prices.of(tokens, written), prices.currency) if prices else (None, None)
    return Estimate(sum(questions), tokens, written, money, currency)


def estimated_tokens(text: str) -> float:
    """Tokens of a text in a typical LLM's tokenizer, which may well be off by half."""
    latin = sum(character.isascii() for character in text)
    return LATIN * latin + OTHER * (len(text) - latin)


def _mean(texts: Sequence[str]) -> float:
    return sum(map(estimated_tokens, texts)) / len(texts) if texts else 0.0
