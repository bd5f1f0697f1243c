"""Rules become sentences, and Korean particles follow the word before them."""

import random
import re
from pathlib import Path

import pytest

from benchmarks import make_demo_models
from stages.demo.corpus import LABELS, grammar_of
from stages.demo.template_grammar import expand, parse


def sentences(rules: str, n: int = 200) -> set[str]:
    grammar = parse(rules)
    rng = random.Random(1)
    return {expand(grammar, "start", rng) for _ in range(n)}


def test_symbols_options_and_inline_words_all_come_up() -> None:
    assert sentences("= start\n{who} [eats|cooks] {what?}\n= who: she, he\n= what: rice") == {
        f"{who} {does}{what}" for who in ("she", "he") for does in ("eats", "cooks") for what in ("", " rice")
    }


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("라면", "라면이 라면을 라면은 라면과"),
        ("커피", "커피가 커피를 커피는 커피와"),
        ("시즌3", "시즌3이 시즌3을 시즌3은 시즌3과"),
        ("시즌2", "시즌2가 시즌2를 시즌2는 시즌2와"),
    ],
)
def test_particles_fit_the_last_sound(word: str, sentence: str) -> None:
    rules = f"= start\n{{w}}(이) {{w}}(을) {{w}}(은) {{w}}(과)\n= w: {word}"
    assert sentences(rules) == {sentence}


def test_a_weighted_line_comes_up_as_often_as_it_says() -> None:
    grammar, rng = parse("= start\n9* often\nseldom"), random.Random(1)
    texts = [expand(grammar, "start", rng) for _ in range(1_000)]
    assert 850 < texts.count("often") < 950


def test_a_note_before_the_first_rule_is_no_text() -> None:
    assert sentences("Polite dialogue.\nIts names are invented.\n\n= start\nhello") == {"hello"}


def test_a_symbol_can_mean_another_for_one_sentence() -> None:
    grammar = parse("= start\n{thing}\n= thing: song\n= ball.thing: match")
    assert expand(grammar, "start", random.Random(1), {"thing": "ball.thing"}) == "match"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_symbol_is_missing_or_left_in_a_text(language: str) -> None:
    means = {"thing": "event.thing", "who": "event.who"}
    diary = grammar_of("diary", language, Path(make_demo_models.__file__).parent / "demo_models")
    for grammar in (grammar_of("formal", language), grammar_of("comments", language), diary):
        named = {name for lines in grammar.lines.values() for line in lines for name in _slots(line)}
        assert named <= grammar.lines.keys()
        texts = [expand(grammar, label, random.Random(i), means) for label in LABELS for i in range(300)]
        assert not [text for text in texts if not text or any(mark in text for mark in "{}[]|")]


def _slots(line: str) -> list[str]:
    return re.findall(r"\{([\w.]+)\??\}", line)
