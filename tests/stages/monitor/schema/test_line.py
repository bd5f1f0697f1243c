"""Which periods of a line are drawn, and which labels and length a picture shows first."""

from dataclasses import replace
from datetime import date

from stages.monitor.schema.line import headline, is_whole, periods_of, prominent, whole_periods_of
from tests.helpers.made_up_lines import line_of


def test_gaps_at_the_ends_are_no_periods_and_gaps_in_between_are() -> None:
    line = line_of([None, 40.0, None, 60.0, None, None])
    assert [period.start.day for period in periods_of(line, "day")] == [2, 3, 4]
    assert periods_of(line, "week") == []
    assert periods_of(line_of([None, None]), "day") == []


def test_a_month_that_the_comments_do_not_reach_across_is_not_whole() -> None:
    line = replace(line_of([40.0, 50.0, 60.0], "month"), first=date(2020, 1, 2), last=date(2020, 3, 31))
    assert [is_whole(line, period) for period in line.periods] == [False, True, True]
    assert [period.start.month for period in whole_periods_of(line, "month")] == [2, 3]
    ends_early = replace(line, last=date(2020, 3, 30))
    assert [period.start.month for period in whole_periods_of(ends_early, "month")] == [2]


def test_the_first_length_shown_is_the_shortest_that_is_neither_crowded_nor_mostly_gaps() -> None:
    def shown(days: list[float | None]) -> str:
        line, months = line_of(days), line_of([40.0, 50.0], "month")
        settings = line.settings.model_copy(update={"every": ["day", "month"]})
        return headline(replace(line, periods=line.periods + months.periods, settings=settings))

    assert shown([40.0, 50.0, 60.0]) == "day"
    assert shown([40.0, None, None, 60.0]) == "month"
    assert shown([40.0] * 401) == "month"


def test_of_many_labels_those_with_most_comments_are_shown() -> None:
    labels = tuple(f"label {i}" for i in range(10))
    line = replace(line_of([40.0]), labels=labels, counts={label: i for i, label in enumerate(labels)})
    assert prominent(line) == [f"label {i}" for i in range(9, 1, -1)]
    assert prominent(replace(line, labels=labels[:8])) == list(labels[:8])


def test_the_thin_line_is_another_estimate_than_the_bold_one() -> None:
    line = line_of([40.0])
    assert not line.is_corrected
    assert line.thin_method is None
    corrected = replace(line, choice=replace(line.choice, drawn="pacc", methods=("raw", "means", "pacc")))
    assert corrected.is_corrected
    assert corrected.thin_method == "raw"
    assert replace(line, choice=replace(line.choice, methods=("raw", "ppi"))).thin_method == "ppi"
