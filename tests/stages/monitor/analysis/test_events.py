"""Events from csv files: read by place, within the line alone, and marked where the line is drawn."""

from datetime import date
from pathlib import Path

import pytest

from stages.monitor.analysis.events import Event, read_events, within
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.report.plot_data import line_data
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.index_settings import EventSource
from stages.monitor.schema.line import Line
from transfer.errors import UserError

SOURCE = EventSource(path="events.csv")
EVENTS = [
    Event(date(2023, 12, 1), "before all"),
    Event(date(2024, 1, 20), "<b>a strike</b>"),
    Event(date(2024, 1, 5), "폭설"),
]


def test_events_come_in_the_order_of_time_with_empty_rows_left_out(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("date,event\n2024-03-05,a strike\n2024-02,snow\n2024-04-01,\n", "utf-8")
    found = read_events(SOURCE, tmp_path, "index.events[0]")
    assert found == [Event(date(2024, 2, 1), "snow"), Event(date(2024, 3, 5), "a strike")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"day,event\n2024-03-01,x\n", r"index.events\[0\]: no column 'date'"),
        (b"", "it is empty"),
        (b"date,event\n", "no event in"),
        (b"date,event\n1 March,x\n", "line 2: '1 March' is no time"),
        (b"date,event\n2024-03-01," + b"x" * 300 + b"\n", "an event of 300 letters"),
        (b"date,event\n" + b"2024-03-01,x\n" * 61, "61 events"),
        ("date,event\n2024-03-01,폭설\n".encode("cp949"), "is not UTF-8"),
        (None, "cannot read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_one_message(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "events.csv").write_bytes(content)
    with pytest.raises(UserError, match=words):
        read_events(SOURCE, tmp_path, "index.events[0]")


def test_events_within_the_line_are_numbered_on_page_and_picture(line: Line, tmp_path: Path) -> None:
    assert [event.text for event in within(line, EVENTS)] == ["폭설", "<b>a strike</b>"]
    context = Context(events=EVENTS)
    assert line_data(line, context)["events"] == [
        {"x": "2024-01-05", "text": "폭설"},
        {"x": "2024-01-20", "text": "<b>a strike</b>"},
    ]
    write_page(line, [], {}, tmp_path / "p.html", context=context)
    page = (tmp_path / "p.html").read_text("utf-8")
    assert "2024-01-20</span> &lt;b&gt;a strike&lt;/b&gt;</li>" in page
    assert "before all" not in page
    draw_png(line, tmp_path / "with.png", context=context)
    draw_png(line, tmp_path / "without.png")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()
