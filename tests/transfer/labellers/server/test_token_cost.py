"""What asking will cost, guessed before it is asked."""

import pytest

from transfer.labellers.few_shot_examples import Example
from transfer.labellers.labeller_settings import LabellerSettings, Prices
from transfer.labellers.prompt import PromptSettings, render
from transfer.labellers.server.token_cost import estimate_cost, estimated_tokens

LABELS = ("anger", "sadness", "happiness")
TEXTS = ["what a lovely day", "not again"]


def settings(**given: object) -> LabellerSettings:
    return LabellerSettings.model_validate({"model": "m", "base_url": "http://x/v1", **given})


def test_it_is_as_long_as_the_messages_that_will_be_sent() -> None:
    whole = sum(estimated_tokens(render(PromptSettings(), LABELS, text)) for text in TEXTS)
    found = estimate_cost(settings(), LABELS, [2], TEXTS)
    assert found.tokens - found.written == pytest.approx(whole + 2 * 8, abs=2)
    assert (found.questions, found.money, found.currency) == (2, None, None)


def test_each_prompt_is_paid_for_and_so_are_examples() -> None:
    one = estimate_cost(settings(), LABELS, [1000], TEXTS)
    several = estimate_cost(settings(prompt={"orders": 3}), LABELS, [1000] * 3, TEXTS)
    assert several.questions == 3000
    assert several.tokens == pytest.approx(3 * one.tokens, abs=3)
    nearest = {"examples": {"from": "gold", "how": "nearest", "per_label": 2}}
    pool = [Example(text="x" * 400, label="anger")]
    dear = estimate_cost(settings(prompt=nearest), LABELS, [1000], TEXTS, pool)
    assert dear.tokens - one.tokens > 1000 * 6 * 100


def test_money_is_by_the_million_tokens_read_and_written() -> None:
    prices = {"input": 2.0, "output": 10.0, "currency": "EUR"}
    found = estimate_cost(settings(prices=prices), LABELS, [500], TEXTS)
    assert found.money == pytest.approx(((found.tokens - found.written) * 2 + found.written * 10) / 1e6)
    assert found.currency == "EUR"
    assert Prices(input=1.0, output=3.0).of(1_000_000, 250_000) == pytest.approx(0.75 + 0.75)


def test_korean_takes_more_tokens_a_letter_than_english() -> None:
    assert estimated_tokens("정말좋네요") > 2 * estimated_tokens("lovel")
