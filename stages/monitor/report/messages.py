"""The words of page, picture and notes, by key, in English and Korean: messages/en.yaml and ko.yaml."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

from stages.monitor.schema.index_settings import IndexSettings

Language = Literal["en", "ko"]


class Text(NamedTuple):
    """The same plain text in both languages."""

    en: str
    ko: str

    def in_language(self, language: Language) -> str:
        return self.ko if language == "ko" else self.en

    @property
    def capitalized(self) -> "Text":
        """With a capital letter, as in the head of a column."""
        return Text(self.en.capitalize(), self.ko)


def message(key: str, **fields: object) -> Text:
    """The text of a key such as "heading.events", its {fields} filled in.

    A field that is a Text is taken in each language; a list of them is joined by commas. Raises KeyError where there is
    no such key, or a field of it is not given.
    """
    return Text(_filled("en", key, fields), _filled("ko", key, fields))


def _filled(language: Language, key: str, fields: Mapping[str, object]) -> str:
    found = {name: _in_language(value, language) for name, value in fields.items()}
    return catalogue(language)[key].format_map(found)


def _in_language(value: object, language: Language) -> object:
    if isinstance(value, Text):
        return value.in_language(language)
    return ", ".join(text.in_language(language) for text in value) if isinstance(value, list) else value


def template(key: str) -> Text:
    """The text of a key with its {fields} as they are, for page.js to fill in."""
    return Text(catalogue("en")[key], catalogue("ko")[key])


def named(group: str, key: str) -> Text:
    """The text of GROUP.KEY; of a key that is not in the catalogue the key itself, its underscores as spaces."""
    own = key.replace("_", " ")
    return Text(*(catalogue(language).get(f"{group}.{key}", own) for language in ("en", "ko")))


def index_name(settings: IndexSettings) -> Text:
    """The index's name; the default one is translated, a name from the plan is not."""
    is_default = settings.name == IndexSettings.model_fields["name"].default
    return message("index_name") if is_default else Text(settings.name, settings.name)


def sentences(texts: Sequence[Text]) -> Text:
    """Texts in a row."""
    return Text(*(" ".join(parts) for parts in zip(*texts, strict=True)))


def language_of(labels: Sequence[str]) -> Language:
    """The language to begin with: Korean where a label is written in Hangul, else English."""
    return "ko" if re.search("[가-힣]", "".join(labels)) else "en"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All texts of a language, by keys with dots."""
    path = files("stages.monitor.report").joinpath("messages", f"{language}.yaml")
    return dict(_flat(yaml.safe_load(path.read_text("utf-8"))))


def _flat(texts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    return [
        item
        for key, text in texts.items()
        for item in (_flat(text, f"{prefix}{key}.") if isinstance(text, dict) else [(prefix + key, text)])
    ]
