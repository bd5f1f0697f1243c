"""Plans to begin from, each written with every key: what the preset sets, and the rest as comments."""

import shlex
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stages.plan.schema import Plan
from transfer.errors import UserError

HEADS = {
    "quickstart": "Four emotions in English comments, from files of your own. Change the paths and run: moodline check",
    "emotion-six": "Six emotions of English tweets (dair-ai/emotion), BERT and its like, no comments: stage one and\n"
    "# the ensemble. Needs the network once, for the data set and the encoders.",
    "korean-comments": "Four emotions in Korean YouTube comments. AI Hub's dialogue corpus gives anger, sadness and\n"
    "# happiness, its speech corpus neutral (both for registered users of aihub.or.kr); Gemma labels 9,000 comments.",
}
FOUR = ["anger", "sadness", "neutral", "happiness"]
VALENCE = {"anger": -1, "sadness": -1, "neutral": 0, "happiness": 1}
PRESETS: dict[str, dict[str, Any]] = {
    "quickstart": {
        "name": "quickstart",
        "labels": FOUR,
        "original": {"train": [{"path": "labelled.csv", "text": "text", "label": "label"}]},
        "comments": [{"path": "comments.csv", "id": "id", "text": "text", "time": "time", "author": "author"}],
        "gold": {"path": "gold.csv", "id": "id", "text": "text", "label": "label", "random_sample": True},
        "candidates": ["google-bert/bert-base-uncased", "FacebookAI/roberta-base"],
        "pseudo_label": {"labeller": {"model": "google/gemma-3-4b-it"}, "sample": 5000},
        "index": {"weights": VALENCE},
    },
    "emotion-six": {
        "name": "emotion-six",
        "labels": ["sadness", "joy", "love", "anger", "fear", "surprise"],
        "original": {
            "train": [{"hub": "dair-ai/emotion", "subset": "split", "split": "train"}],
            "validation": [{"hub": "dair-ai/emotion", "subset": "split", "split": "validation"}],
            "test": [{"hub": "dair-ai/emotion", "subset": "split", "split": "test"}],
        },
        "candidates": [
            "google-bert/bert-base-uncased",
            "FacebookAI/roberta-base",
            "google/electra-base-discriminator",
            "distilbert/distilbert-base-uncased",
        ],
        "search": {"metric": "accuracy"},
        "pseudo_label": None,
        "ensemble": {"top": 4, "combine": "mean"},
        "final": "ensemble",
    },
    "korean-comments": {
        "name": "korean-comments",
        "labels": FOUR,
        "original": {
            "train": [
                {
                    "path": "dialogue.xlsx",
                    "text": "사람문장1",
                    "label": "감정_대분류",
                    "map": {"분노": "anger", "슬픔": "sadness", "기쁨": "happiness"},
                    "unmapped": "drop",
                },
                {
                    "path": "voice.csv",
                    "encoding": "cp949",
                    "text": "발화문",
                    "label": "상황",
                    "map": {"neutral": "neutral"},
                    "unmapped": "drop",
                },
            ]
        },
        "comments": [
            {
                "path": "youtube/*.parquet",
                "id": "id",
                "text": "text",
                "time": "published_at",
                "author": "author",
                "source": "video",
            }
        ],
        "gold": {"path": "gold.csv", "id": "id", "text": "text", "label": "label", "random_sample": True},
        "candidates": [
            "klue/bert-base",
            "klue/roberta-base",
            "klue/roberta-large",
            "monologg/koelectra-base-v3-discriminator",
        ],
        "pseudo_label": {
            "labeller": {
                "model": "google/gemma-3-4b-it",
                "prompt": {
                    "language": "ko",
                    "names": {"anger": "분노", "sadness": "슬픔", "neutral": "중립", "happiness": "기쁨"},
                },
            },
            "sample": 9000,
        },
        "index": {"weights": VALENCE, "timezone": "Asia/Seoul", "every": ["day", "week", "month"]},
    },
}
WIDTH = 44  # where the comments begin


def write_preset(preset: str, path: Path) -> dict[str, str]:
    """Writes a preset's plan. Returns the file as `plan`, the `preset`, and the command that comes `next`.

    Raises UserError where the file is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(preset_text(preset))
    except FileExistsError:
        raise UserError(f"{path}: is there already, and is not overwritten", "name another file with --out") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "name another file with --out") from error
    return {"plan": str(path), "preset": preset, "next": f"moodline check {shlex.quote(str(path))}"}


def preset_text(preset: str) -> str:
    """The preset's plan as YAML; a key that it leaves at its default stands there as a comment."""
    lines = [
        f"# {HEADS[preset]}",
        "# All keys stand here; those behind a # have the value shown unless you change it.",
        "",
    ]
    return "\n".join([*lines, *_block(Plan, PRESETS[preset], "", is_set=True)]) + "\n"


def _block(model: type[BaseModel], values: Mapping[str, Any], indent: str, *, is_set: bool) -> Iterator[str]:
    for name, field in model.model_fields.items():
        given = name in values
        inner = model_of(field.annotation)
        mark = "" if is_set and given else "# "
        if given and isinstance(values[name], dict) and inner is not None:
            yield _line(f"{indent}{name}:", field.description)
            yield from _block(inner, values[name], indent + "  ", is_set=is_set)
        elif given:
            yield from _entry(name, values[name], field.description, indent)
        elif is_set and not field.is_required():
            default = _default(field)
            if inner is not None and isinstance(default, BaseModel) and not _is_union(field.annotation):
                yield _line(f"{indent}# {name}:", field.description)
                yield from (f"{indent}# {line}" for line in _commented(inner))
            else:
                yield _line(f"{indent}{mark}{name}: {flow(default)}", field.description)


def _commented(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield _line(f"  {name}: {flow(_default(field))}", field.description)


def _entry(name: str, value: Any, description: str | None, indent: str) -> Iterator[str]:
    line = f"{indent}{name}: {flow(value)}"
    if len(line) <= WIDTH * 2 and not (isinstance(value, list) and value and isinstance(value[0], dict)):
        yield _line(line, description)
        return
    yield _line(f"{indent}{name}:", description)
    items = value if isinstance(value, list) else [value]
    yield from (f"{indent}  - {flow(item)}" for item in items)


def _line(text: str, description: str | None) -> str:
    return f"{text:<{WIDTH}} # {description}" if description else text


def flow(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Enum):
        value = value.value
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True, validated_data={})
    return None if default is PydanticUndefined else default


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in {Union, UnionType}


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model that an annotation stands for, alone or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if _is_union(annotation) or get_origin(annotation) is Annotated:
        return next((found for arg in get_args(annotation) if (found := model_of(arg))), None)
    return None
