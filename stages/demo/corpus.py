"""The demo's texts: labelled formal dialogue, dated slangy comments with an event in their middle, gold, and a diary.

The true emotion of a comment stays here, in memory; of the files only gold carries some of it, through an
annotator who errs now and then.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from stages.demo import chatter_en, chatter_ko, diary_en, diary_ko, formal_en, formal_ko
from stages.demo.demo_size import Size
from stages.demo.template_grammar import Grammar, expand, parse
from stages.demo.text_noise import roughen
from transfer.text.cleaning import clean, key

LABELS = ("anger", "sadness", "neutral", "happiness")
LANGUAGES = ("ko", "en")
FIRST_DAY = date(2024, 3, 4)

_RULES = {
    "ko": (formal_ko.RULES, chatter_ko.RULES, diary_ko.RULES),
    "en": (formal_en.RULES, chatter_en.RULES, diary_en.RULES),
}
_TOPICS = ("music", "ball", "food", "game", "drama")
# shares of LABELS on an ordinary day, and in what is written about the event
_ORDINARY = (0.17, 0.17, 0.34, 0.32)
_ABOUT_EVENT = (0.56, 0.26, 0.14, 0.04)
_TALK_OF_EVENT, _HALF_LIFE = 0.75, 6.0  # share of comments on its first day; days until half as many
_EVENT_CROWD = 0.8  # how many more comments its first day draws
_WEEKDAY_CROWD = (1.0, 0.95, 0.95, 1.0, 1.15, 1.3, 1.25)
_HOUR_CROWD = (5, 3, 2, 1, 1, 1, 2, 4, 5, 5, 5, 6, 8, 7, 6, 6, 7, 8, 9, 10, 12, 13, 12, 9)
_COPIED, _EMPTY, _ANNOTATOR_ERRS, _ORIGINAL_ERRS = 0.04, 0.001, 0.04, 0.02
_FLOODS, _FLOOD_SHARE = 3, 0.004  # three authors post one text over and over; each so much of all comments


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
    """All texts of a world.

    reading: unlabelled, for pretraining: formal sentences other than the original data's, and the comments, cleaned,
    gold's left out. gold: (comment, the annotator's label). diary: the stand-in LLM's. event: the day on which it is.
    """

    original: list[Row]
    reading: list[str]
    comments: list[Comment]
    gold: list[tuple[Comment, str]]
    diary: list[Row]
    event: date


def make_corpus(language: str, seed: int, size: Size) -> Corpus:
    """The texts of a world: the same for the same language ("ko", "en"), seed and size."""
    formal, chatter, diary = (parse(rules) for rules in _RULES[language])
    streams = ("formal", "reading", "chatter", "diary", "gold")
    dice = {name: random.Random(f"{seed} {language} {name}") for name in streams}
    event = FIRST_DAY + timedelta(days=size.days // 2)
    comments = _comments(chatter, language, dice["chatter"], size, event)
    gold = _gold(comments, dice["gold"], size.gold)
    further = [row.text for row in _labelled(formal, dice["reading"], size.original, 0.0)]
    return Corpus(
        original=_labelled(formal, dice["formal"], size.original, _ORIGINAL_ERRS),
        reading=[*further, *_outside(comments, gold)],
        comments=comments,
        gold=gold,
        diary=_labelled(diary, dice["diary"], size.diary, 0.0),
        event=event,
    )


def _labelled(grammar: Grammar, rng: random.Random, rows: int, errs: float) -> list[Row]:
    labels = [LABELS[i % len(LABELS)] for i in range(rows)]
    rng.shuffle(labels)
    texts = [expand(grammar, label, rng) for label in labels]
    return [Row(text, _err(label, errs, rng)) for text, label in zip(texts, labels, strict=True)]


def _err(label: str, share: float, rng: random.Random) -> str:
    return rng.choice([other for other in LABELS if other != label]) if rng.random() < share else label


def _comments(grammar: Grammar, language: str, rng: random.Random, size: Size, event: date) -> list[Comment]:
    moments = sorted(_moment(day, rng) for day in _days(size, event, rng))
    authors = _authors(rng, max(20, size.comments // 6))
    written: list[Comment] = []
    for number, moment in enumerate(moments):
        id_, author = f"c{number:06}", _regular(authors, rng)
        if written and rng.random() < _COPIED:
            copied = rng.choice(written[-300:])
            written.append(Comment(id_, copied.text, moment, author, copied.video, copied.emotion))
            continue
        video, emotion, text = _comment(grammar, moment.date(), event, rng)
        kept = None if rng.random() < _EMPTY else roughen(text, language, rng)
        written.append(Comment(id_, kept, moment, author, video, emotion))
    return sorted([*written, *_floods(grammar, written, rng)], key=lambda comment: comment.written_at)


def _comment(grammar: Grammar, day: date, event: date, rng: random.Random) -> tuple[str, str, str]:
    """(video, emotion, text) of a comment written on `day`."""
    about_event = rng.random() < _talk_of_event(day, event)
    topic = "event" if about_event else rng.choice(_TOPICS)
    emotion = rng.choices(LABELS, weights=_ABOUT_EVENT if about_event else _ORDINARY)[0]
    means = {"thing": f"{topic}.thing", "who": f"{topic}.who"}
    text = expand(grammar, f"event.{emotion}" if about_event else emotion, rng, means)
    week = (day - FIRST_DAY).days // 7
    aired = max(0, week - int(rng.expovariate(0.7)))  # most comments come in a video's first weeks
    return ("music-event" if about_event else f"{topic}-{aired:02}"), emotion, text


def _talk_of_event(day: date, event: date) -> float:
    since = (day - event).days
    return _TALK_OF_EVENT * 0.5 ** (since / _HALF_LIFE) if since >= 0 else 0.0


def _days(size: Size, event: date, rng: random.Random) -> list[date]:
    days = [FIRST_DAY + timedelta(days=i) for i in range(size.days)]
    crowd = [
        _WEEKDAY_CROWD[day.weekday()] * (1 + _EVENT_CROWD * _talk_of_event(day, event) / _TALK_OF_EVENT) for day in days
    ]
    return rng.choices(days, weights=crowd, k=size.comments)


def _moment(day: date, rng: random.Random) -> datetime:
    hour = rng.choices(range(24), weights=_HOUR_CROWD)[0]
    return datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60))


def _authors(rng: random.Random, number: int) -> list[str]:
    return [f"{rng.choice('abcdefghjkmnprstvwyz')}{rng.randrange(16**5):05x}" for _ in range(number)]


def _regular(authors: Sequence[str], rng: random.Random) -> str:
    """Somebody, the first of the list far more often than the last."""
    return authors[int(len(authors) * rng.random() ** 3)]


def _floods(grammar: Grammar, written: Sequence[Comment], rng: random.Random) -> list[Comment]:
    floods = []
    for number in range(_FLOODS):
        start, text = rng.choice(written), expand(grammar, "flood", rng)
        for i in range(max(3, int(len(written) * _FLOOD_SHARE))):
            moment = start.written_at.replace(minute=i % 60, second=rng.randrange(60))
            floods.append(Comment(f"f{number}{i:05}", text, moment, f"promo{number}", start.video, "neutral"))
    return floods


def _outside(comments: Sequence[Comment], gold: Sequence[tuple[Comment, str]]) -> list[str]:
    """The comments' texts, cleaned, without those that read like one of gold's."""
    held = {key(clean(comment.text or "")) for comment, _ in gold}
    texts = [clean(comment.text or "") for comment in comments]
    return [text for text in texts if text and key(text) not in held]


def _gold(comments: Sequence[Comment], rng: random.Random, rows: int) -> list[tuple[Comment, str]]:
    """A random sample of the distinct non-empty texts, as an annotator sees them."""
    distinct = list({comment.text: comment for comment in comments if comment.text}.values())
    picked = rng.sample(distinct, min(rows, len(distinct)))
    return [(comment, _err(comment.emotion, _ANNOTATOR_ERRS, rng)) for comment in picked]
