"""The demo's texts: labelled formal dialogue, dated slangy comments with an event in their middle, and gold.

The true emotion of a comment stays here, in memory; of the files only gold carries some of it, through an
annotator who sometimes errs.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from stages.demo.template_grammar import Grammar, expand, parse
from stages.demo.text_noise import add_noise

DATA = Path(__file__).parent / "data"
LABELS = ("anger", "sadness", "neutral", "happiness")
LANGUAGES = ("ko", "en")
FIRST_DAY = date(2024, 3, 4)

_TOPICS = ("music", "ball", "food", "game", "drama")
# shares of LABELS on an ordinary day, and in what is written about the event
_ORDINARY = (0.17, 0.17, 0.34, 0.32)
_ABOUT_EVENT = (0.56, 0.26, 0.14, 0.04)
_EVENT_SHARE, _HALF_LIFE = 0.75, 6.0  # share of comments about the event on its first day; days until half of that
_EVENT_TRAFFIC = 0.8  # additional comments on its first day, as a share of a usual day's
_WEEKDAY_TRAFFIC = (1.0, 0.95, 0.95, 1.0, 1.15, 1.3, 1.25)
_HOUR_TRAFFIC = (5, 3, 2, 1, 1, 1, 2, 4, 5, 5, 5, 6, 8, 7, 6, 6, 7, 8, 9, 10, 12, 13, 12, 9)
_COPIED, _EMPTY, _ANNOTATOR_ERRORS, _ORIGINAL_ERRORS = 0.04, 0.001, 0.04, 0.02  # shares of all rows
_FLOODS, _FLOOD_SHARE = 3, 0.004  # authors who repeat one text, and the share of all comments that each posts


@dataclass(frozen=True)
class Size:
    """How large a demo is. original, comments, gold: rows. days: that the comments span. sample: comments to label."""

    original: int = 2_500
    comments: int = 12_000
    gold: int = 400
    days: int = 150
    sample: int = 2_500


FULL = Size()
SMALL = Size(original=240, comments=900, gold=80, days=60, sample=200)  # for tests


class Row(NamedTuple):
    """A labelled text."""

    text: str
    label: str


@dataclass(frozen=True)
class Comment:
    """One comment. text: None where the platform gave none. written_at: local time of the plan's time zone."""

    id: str
    text: str | None
    written_at: datetime
    author: str
    video: str
    emotion: str


@dataclass(frozen=True)
class Corpus:
    """All texts of a demo. gold: (comment, the annotator's label). event: the day on which it happens."""

    original: list[Row]
    comments: list[Comment]
    gold: list[tuple[Comment, str]]
    event: date


def make_corpus(language: str, seed: int, size: Size) -> Corpus:
    """The texts of a demo: the same for the same language ("ko", "en"), seed and size."""
    formal, chatter, gold = (random.Random(f"{seed} {language} {name}") for name in ("formal", "chatter", "gold"))
    event = FIRST_DAY + timedelta(days=size.days // 2)
    comments = _comments(grammar_of("comments", language), language, chatter, size, event)
    return Corpus(
        original=labelled_rows(grammar_of("formal", language), formal, size.original, _ORIGINAL_ERRORS),
        comments=comments,
        gold=_gold(comments, gold, size.gold),
        event=event,
    )


def grammar_of(name: str, language: str, folder: Path = DATA) -> Grammar:
    """The rules of texts. name: "formal" for the original data, "comments"; `folder` holds NAME_LANGUAGE.txt."""
    return parse((folder / f"{name}_{language}.txt").read_text(encoding="utf-8"))


def labelled_rows(grammar: Grammar, rng: random.Random, rows: int, errors: float) -> list[Row]:
    """`rows` texts, as many of each label; a share of `errors` has another label than its text."""
    labels = [LABELS[i % len(LABELS)] for i in range(rows)]
    rng.shuffle(labels)
    texts = [expand(grammar, label, rng) for label in labels]
    return [Row(text, _annotated(label, errors, rng)) for text, label in zip(texts, labels, strict=True)]


def _annotated(label: str, errors: float, rng: random.Random) -> str:
    """The label that an annotator gives who errs in a share of `errors`."""
    return rng.choice([other for other in LABELS if other != label]) if rng.random() < errors else label


def _comments(grammar: Grammar, language: str, rng: random.Random, size: Size, event: date) -> list[Comment]:
    moments = sorted(_moment(day, rng) for day in _days(size, event, rng))
    authors = _authors(rng, max(20, size.comments // 6))
    written: list[Comment] = []
    for number, moment in enumerate(moments):
        id_, author = f"c{number:06}", _author(authors, rng)
        if written and rng.random() < _COPIED:
            copied = rng.choice(written[-300:])
            written.append(Comment(id_, copied.text, moment, author, copied.video, copied.emotion))
            continue
        video, emotion, text = _comment(grammar, moment.date(), event, rng)
        kept = None if rng.random() < _EMPTY else add_noise(text, language, rng)
        written.append(Comment(id_, kept, moment, author, video, emotion))
    return sorted([*written, *_floods(grammar, written, rng)], key=lambda comment: comment.written_at)


def _comment(grammar: Grammar, day: date, event: date, rng: random.Random) -> tuple[str, str, str]:
    """(video, emotion, text) of a comment written on `day`."""
    about_event = rng.random() < _event_share(day, event)
    topic = "event" if about_event else rng.choice(_TOPICS)
    emotion = rng.choices(LABELS, weights=_ABOUT_EVENT if about_event else _ORDINARY)[0]
    means = {"thing": f"{topic}.thing", "who": f"{topic}.who"}
    text = expand(grammar, f"event.{emotion}" if about_event else emotion, rng, means)
    week = (day - FIRST_DAY).days // 7
    aired = max(0, week - int(rng.expovariate(0.7)))  # most comments come in a video's first weeks
    return ("music-event" if about_event else f"{topic}-{aired:02}"), emotion, text


def _event_share(day: date, event: date) -> float:
    since = (day - event).days
    return _EVENT_SHARE * 0.5 ** (since / _HALF_LIFE) if since >= 0 else 0.0


def _days(size: Size, event: date, rng: random.Random) -> list[date]:
    days = [FIRST_DAY + timedelta(days=i) for i in range(size.days)]
    traffic = [
        _WEEKDAY_TRAFFIC[day.weekday()] * (1 + _EVENT_TRAFFIC * _event_share(day, event) / _EVENT_SHARE) for day in days
    ]
    return rng.choices(days, weights=traffic, k=size.comments)


def _moment(day: date, rng: random.Random) -> datetime:
    hour = rng.choices(range(24), weights=_HOUR_TRAFFIC)[0]
    return datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60))


def _authors(rng: random.Random, number: int) -> list[str]:
    return [f"{rng.choice('abcdefghjkmnprstvwyz')}{rng.randrange(16**5):05x}" for _ in range(number)]


def _author(authors: Sequence[str], rng: random.Random) -> str:
    """One of `authors`, the first far more often than the last."""
    return authors[int(len(authors) * rng.random() ** 3)]


def _floods(grammar: Grammar, written: Sequence[Comment], rng: random.Random) -> list[Comment]:
    floods = []
    for number in range(_FLOODS):
        start, text = rng.choice(written), expand(grammar, "flood", rng)
        for i in range(max(3, int(len(written) * _FLOOD_SHARE))):
            moment = start.written_at.replace(minute=i % 60, second=rng.randrange(60))
            floods.append(Comment(f"f{number}{i:05}", text, moment, f"promo{number}", start.video, "neutral"))
    return floods


def _gold(comments: Sequence[Comment], rng: random.Random, rows: int) -> list[tuple[Comment, str]]:
    """A random sample of the distinct non-empty texts, as an annotator sees them."""
    distinct = list({comment.text: comment for comment in comments if comment.text}.values())
    sampled = rng.sample(distinct, min(rows, len(distinct)))
    return [(comment, _annotated(comment.emotion, _ANNOTATOR_ERRORS, rng)) for comment in sampled]
