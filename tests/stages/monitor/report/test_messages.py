"""The catalogues have the same keys and fields in both languages, and code and templates use all of them rightly."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

from stages.monitor.report.messages import Text, catalogue, index_name, language_of, message, named, sentences
from stages.monitor.schema.index_settings import IndexSettings

MONITOR = Path(__file__).parents[4] / "stages" / "monitor"
Call = tuple[str, frozenset[str] | None]  # pattern of keys, and the fields that are given; None: any
KEYS = sorted(catalogue("en"))


def fields_of(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def calls_in_code() -> Iterator[Call]:
    for path in MONITOR.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("message", "template")
            ):
                key = node.args[0]
                if isinstance(key, ast.Name):
                    continue  # a key that is passed on
                parts = key.values if isinstance(key, ast.JoinedStr) else [key]
                pattern = "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[^.]+" for part in parts
                )
                given = frozenset(str(keyword.arg) for keyword in node.keywords)
                yield pattern, None if node.func.id == "template" else given


# macros of macros.html.j2 whose first argument ends a key
MACROS = {"heading": "heading", "scrolling": "heading", "column": "column"}


def calls_in_templates() -> Iterator[Call]:
    for path in MONITOR.rglob("*.j2"):
        for call in Environment().parse(path.read_text("utf-8")).find_all(nodes.Call):
            name = getattr(call.node, "name", None)
            if name == "named":
                yield f"{constant(call.args[0])}\\..+", None
            elif name in MACROS:
                yield re.escape(f"{MACROS[name]}.{constant(call.args[0])}"), frozenset()
            elif name == "message" and path.name != "macros.html.j2":
                key = call.args[0]
                parts = key.nodes if isinstance(key, nodes.Concat) else [key]
                pattern = "".join(
                    re.escape(constant(part)) if isinstance(part, nodes.Const) else "[^.]+" for part in parts
                )
                yield pattern, frozenset(keyword.key for keyword in call.kwargs)


def constant(node: nodes.Node) -> str:
    assert isinstance(node, nodes.Const)
    return str(node.value)


CALLS = [*calls_in_code(), *calls_in_templates(), ("yes|no", frozenset[str]())]  # the last: in macros.html.j2


def test_both_languages_have_the_same_messages_with_the_same_fields() -> None:
    assert sorted(catalogue("ko")) == KEYS
    for key in KEYS:
        assert fields_of(catalogue("en")[key]) == fields_of(catalogue("ko")[key]), key


@pytest.mark.parametrize("key", KEYS)
def test_a_message_is_used_and_can_be_worded_with_its_fields(key: str) -> None:
    fields = fields_of(catalogue("en")[key])
    given = [names for pattern, names in CALLS if re.fullmatch(pattern, key)]
    assert given, f"nothing uses {key}"
    for names in given:
        assert names is None or fields <= names, f"{key}: {fields - (names or frozenset())} are not given"
    text = message(key, **dict.fromkeys(fields, 1))
    assert all(text) or key == "forecast.season.week"
    assert "{" not in "".join(text)


def test_every_call_finds_messages_and_gives_no_field_that_none_of_them_has() -> None:
    assert len(CALLS) > 100
    for pattern, given in CALLS:
        found = [key for key in KEYS if re.fullmatch(pattern, key)]
        assert found, f"no message is called {pattern}"
        known = frozenset[str]().union(*(fields_of(catalogue("en")[key]) for key in found))
        assert (given or frozenset()) <= known, f"{pattern}: {(given or frozenset()) - known}"


def test_a_field_may_be_a_text_or_several_and_braces_in_it_stay() -> None:
    counts = [Text("one {a}", "하나 {a}"), Text("two", "둘")]
    found = message("gaps", comments=3, authors=2, counts=counts)
    assert ": one {a}, two." in found.en
    assert ": 하나 {a}, 둘." in found.ko
    with pytest.raises(KeyError, match="authors"):
        message("gaps", comments=3, counts=counts)


def test_names_from_the_plan_stand_as_they_are_and_the_default_name_is_translated() -> None:
    assert index_name(IndexSettings()) == (IndexSettings().name, "표현 감정 지수")
    assert index_name(IndexSettings(name="mood")) == ("mood", "mood")
    assert named("row", "macro_f1") == ("macro-F1", "매크로 F1")
    assert named("row", "batch_size") == ("batch size", "batch size")


def test_sentences_follow_each_other_and_the_language_follows_the_labels() -> None:
    assert sentences([Text("A.", "가."), Text("B.", "나.")]) == ("A. B.", "가. 나.")
    assert language_of(["joy", "기쁨"]) == "ko"
    assert language_of(["joy"]) == "en"
