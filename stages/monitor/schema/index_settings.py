"""The plan's `index` block: how comments become the daily line, and how certain it must be.

Light on purpose, because the plan imports it: pydantic and the standard library alone.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from transfer.errors import UserError

Every = Literal["day", "week", "month"]
Method = Literal["raw", "means", "acc", "pacc", "em", "ppi"]


class _Settings(BaseModel):
    """A part of the plan: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OtherSeries(_Settings):
    """Another series, from a csv file, that the index is correlated with."""

    path: str = Field(description="csv file, UTF-8; relative to the plan's folder")
    name: str = Field(min_length=1, description="what the series is called where it is shown")
    time: str = Field("date", description="column of the day (2024-03-01, a time of day may follow) or month (2024-03)")
    value: str = Field("value", description="column of the number; several of one period are averaged")
    every: Every = Field("month", description="length of period compared: day, week, month")
    lags: int = Field(3, ge=0, le=60, description="periods that the series is moved by, back and forth, at most")


class EventSource(_Settings):
    """What happened when, from a csv file: marked on page and picture."""

    path: str = Field(description="csv file, UTF-8; relative to the plan's folder")
    time: str = Field("date", description="column of the day (2024-03-01, a time of day may follow) or month (2024-03)")
    text: str = Field("event", description="column of what happened, in a few words")


class ForecastSettings(_Settings):
    """How far ahead the index is forecast, in periods of each length."""

    day: int = Field(14, ge=0, le=60, description="days ahead, from the last on; 0: none")
    week: int = Field(4, ge=0, le=26, description="weeks ahead; 0: none")
    month: int = Field(3, ge=0, le=12, description="months ahead; 0: none")


class WordsSettings(_Settings):
    """Which words are distinctive of each emotion, over the whole time and in outlier periods."""

    periods: int = Field(5, ge=0, le=20, description="periods of each length that stand out most, at most")
    most: int = Field(10, ge=1, le=60, description="words of each emotion that are shown")
    examples: int = Field(
        0, ge=0, le=5, description="comments of each emotion shown for such a period, without author; 0: no comment is"
    )


class IndexSettings(_Settings):
    """How comments become a line. Weeks begin on Monday (ISO 8601), months on their first day."""

    weights: dict[str, FiniteFloat] | None = Field(
        None, description="weight of each label in the index, any scale, 0 is neutral; null: shares, no index"
    )
    timezone: str = Field("UTC", description="IANA name of the time zone whose days are counted, e.g. Asia/Seoul")
    every: list[Every] = Field(["day", "month"], min_length=1, description="lengths of period: day, week, month")
    name: str = Field("expressed-emotion index", min_length=1, description="what the index is called where it is shown")
    # 50: a share's 95 % interval is then at most 28 points wide; LBMHA (npj Digital Medicine 2024) asks for 50 users
    min_comments: int = Field(50, ge=1, description="comments that a period needs, else it is a gap")
    # 10: below some 10 clusters a percentile interval is far too narrow (Cameron, Gelbach and Miller 2008)
    min_clusters: int = Field(
        10, ge=2, description="authors (or sources) that a period needs for an interval to be given"
    )
    bootstrap: int = Field(200, ge=100, description="resamples behind each 95 % interval")
    cluster: Literal["author", "source"] = Field(
        "author", description="what is resampled whole; source where names are masked, so that one is many people"
    )
    # pacc: steadier than acc in simulated shifts, and rests on one assumption less than em (docs/decisions.md)
    prevalence: Method = Field(
        "pacc",
        description="estimate drawn bold: raw counts, means of probabilities, or corrected by gold: acc, pacc "
        "(adjusted counts), em, ppi (prediction-powered); without enough gold: raw",
    )
    prevalence_reason: str | None = Field(
        None, min_length=1, description="why that estimate is the one drawn bold, shown beside it; null: a usual reason"
    )
    judged_on: Literal["gold", "validation"] = Field(
        "gold",
        description="what corrections learn the model's errors from: gold's report half, or the original validation "
        "split (another domain: a warning is shown)",
    )
    # 10: with fewer, a column of the confusion matrix is known to no better than 15 points
    min_gold: int = Field(10, ge=2, description="gold rows (report half) that each label needs for a correction")
    # 50 and 20: generous to people, tight for machines; what is left out is counted, and its effect shown
    author_cap: int | None = Field(50, ge=1, description="comments of one author that count per day; null: all")
    flood: int | None = Field(
        20,
        ge=1,
        description="near-duplicates of one text that count by one author, on one source or in one hour; null: all",
    )
    series: list[OtherSeries] = Field([], description="other series that the index is correlated with")
    events: list[EventSource] = Field([], description="csv files of events that are marked on page and picture")
    forecast: ForecastSettings | None = Field(
        ForecastSettings(),
        description="how far the index is forecast, where it is long enough to check that by backtesting (extra "
        "`series`); null: not at all",
    )
    words: WordsSettings | None = Field(
        WordsSettings(), description="words that carry each emotion; null: none, and no comment is read again"
    )
    sources: int = Field(
        10,
        ge=0,
        le=100,
        description="sources with the most comments that are shown apart, as a whole and by the longest period",
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        if name in available_timezones():
            ZoneInfo(name)
            return name
        near = get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no time zone is called {name!r}, give an IANA name such as 'Asia/Seoul'{hint}")

    @field_validator("every")
    @classmethod
    def _is_without_repeats(cls, every: list[Every]) -> list[Every]:
        if len(set(every)) < len(every):
            raise ValueError(f"each length of period is named once, got {every}")
        return sorted(every, key=("day", "week", "month").index)


def weight_problems(settings: IndexSettings, labels: Sequence[str], where: str = "index") -> list[UserError]:
    """What is wrong between the index's weights and the plan's labels; empty where nothing is.

    where: the plan's key of these settings, put in front of every message.
    """
    weights, place = settings.weights, f"{where}.weights"
    if weights is None:
        return []
    found = []
    for label in weights:
        if label not in labels:
            near = get_close_matches(label, labels, n=1)
            hint = [f"did you mean {near[0]!r}?"] if near else []
            found.append(UserError(f"{place}: no label {label!r}", f"the plan's labels: {', '.join(labels)}", *hint))
    for label in labels:
        if label not in weights:
            found.append(UserError(f"{place}: no weight for {label!r}", "give 0 to a label that moves nothing"))
    if not any(weights.values()):
        found.append(
            UserError(f"{place}: all weights are 0", "the index would stand at 50; leave weights out for no index")
        )
    return found
