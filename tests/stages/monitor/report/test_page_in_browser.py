"""The page in a real Chromium: drawn, operable, in both languages, on a phone, without a request or an error."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.aggregation.provenance import Origins, Shard
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line, periods_of
from tests.helpers.classified_shards import random_rows

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=10000"),
    *("--window-size=1300,2000", "--dump-dom"),
]
# The page stands in a frame, because headless windows are never as narrow as a phone; it posts what it saw.
FRAME = """<!doctype html><iframe src="{name}" style="width:{width}px;height:1800px;border:0"></iframe>
<pre></pre><script>addEventListener("message", (e) => document.querySelector("pre").textContent = e.data)</script>"""
WATCH = """<script>addEventListener("load", () => setTimeout(async () => {{
  const pause = () => new Promise((done) => setTimeout(done, 500));
  const click = async (name) => {{ document.querySelector(name).click(); await pause(); }};
  parent.postMessage(JSON.stringify(await (async () => {{ {script} }})()), "*");
}}, 1500))</script>"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install the package chromium to run this test"),
]
Seen = dict[str, object]


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Seen]:
    """Opens a page at a width in pixels, runs a script in it, and gives back what the script returns."""

    def look_at(page: Path, script: str, width: int = 1280) -> Seen:
        (tmp_path / "watched.html").write_text(page.read_text("utf-8") + WATCH.format(script=script), "utf-8")
        (tmp_path / "frame.html").write_text(FRAME.format(name="watched.html", width=width), "utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [str(CHROMIUM), *OPTIONS, profile, (tmp_path / "frame.html").as_uri()]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert re.findall(r"CONSOLE.*", ran.stderr) == []  # errors and refused requests would stand here
        seen = re.search(r"<pre>(.+?)</pre>", ran.stdout, re.DOTALL)
        assert seen is not None, ran.stdout[:500]
        return dict(json.loads(unescape(seen[1])))

    return look_at


@pytest.fixture
def page(line: Line, tmp_path: Path) -> Path:
    write_page(line, [{"model": "m", "split": "test", "accuracy": 0.7, "macro_f1": 0.6}], {}, tmp_path / "line.html")
    return tmp_path / "line.html"


STATE = """return {
  points: Object.fromEntries(["index", "shares", "volume"].map((id) =>
    [id, document.getElementById(id).data.find((t) => t.name).x.length])),
  types: [...new Set(document.getElementById("shares").data.map((t) => t.type))],
  drawn: document.querySelectorAll("#shares .scatterlayer path.js-line").length,
  heading: document.getElementById("volume-heading").textContent,
  legend: [...document.querySelectorAll("#legend button")].map((t) => t.textContent),
  hasFont: document.fonts.check('13px "page text"', "기쁨") && [...document.fonts].every((f) => f.status === "loaded"),
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  title: document.title };"""


def test_the_plots_are_drawn_with_korean_labels(page: Path, look: Callable[..., Seen]) -> None:
    seen = look(page, STATE)
    assert seen["points"] == {"index": 39, "shares": 39, "volume": 39}
    assert seen["legend"] == ["분노", "슬픔", "중립", "기쁨"]
    assert seen["heading"] == "하루 댓글 수"
    assert seen["hasFont"] is True
    assert isinstance(seen["drawn"], int)
    assert seen["drawn"] >= 8


def test_the_buttons_change_period_view_and_language(page: Path, look: Callable[..., Seen]) -> None:
    clicks = "".join(f"await click('[data-{name}]');" for name in ("every=week", "view=stacked", "language=en"))
    seen = look(page, clicks + STATE)
    assert seen["points"] == {"index": 6, "shares": 6, "volume": 6}
    assert seen["types"] == ["bar"]
    assert seen["heading"] == "Comments per week"


def test_a_label_is_put_away_and_stays_away_when_the_period_changes(page: Path, look: Callable[..., Seen]) -> None:
    script = """await click('#legend button'); await click('[data-every=month]');
      return {shown: document.getElementById("shares").data.map((t) => t.name).filter(Boolean)};"""
    assert look(page, script)["shown"] == ["슬픔", "중립", "기쁨"]


def test_a_click_on_a_point_names_its_shards_files_and_model(
    tmp_path: Path, line: Line, look: Callable[..., Seen]
) -> None:
    shards = tuple(Shard(f"shards/m/{i}", f"{i}" * 64, 0, 2_000, "3f9a") for i in range(2))
    origins = Origins(shards, {every: (((0, 1),),) * len(periods_of(line, every)) for every in line.settings.every})
    write_page(line, [], {}, tmp_path / "origins.html", language="en", context=Context(origins=origins))
    script = """document.getElementById("index").emit("plotly_click", {points: [{x: "2024-01-05"}]});
      return {origin: document.getElementById("origin").textContent};"""
    n = next(period.n for period in line.periods if period.every == "day" and period.start == date(2024, 1, 5))
    assert look(tmp_path / "origins.html", script)["origin"] == (
        f"2024-01-05 (day): {n} comments from shards 1–2, of files {'0' * 16}, {'1' * 16}; model 3f9a. "
        "Which these are: under Lineage."
    )


def test_a_zoom_in_one_plot_is_followed_by_the_others(page: Path, look: Callable[..., Seen]) -> None:
    script = """await Plotly.relayout("index", {"xaxis.range": ["2024-01-05", "2024-01-15"]});
      await pause();
      return {ranges: ["shares", "volume"].map((id) => document.getElementById(id).layout.xaxis.range.join())};"""
    assert look(page, script)["ranges"] == ["2024-01-05,2024-01-15"] * 2


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_at_the_side(width: int, page: Path, look: Callable[..., Seen]) -> None:
    assert look(page, STATE, width)["overflow"] == 0


def test_a_script_in_a_label_is_shown_and_never_run(
    tmp_path: Path, shard: Callable[..., Path], look: Callable[..., Seen]
) -> None:
    evil = "<script>document.title='hacked'</script><img src=x onerror=document.title='hacked'>"
    labels = [evil, "joy"]
    line = daily_line([shard(random_rows(400, 3, labels=labels), labels=labels)], labels, IndexSettings(), 13)
    write_page(line, [], {"plan": {"name": f"plan {evil}"}}, tmp_path / "evil.html")
    seen = look(tmp_path / "evil.html", STATE.replace('"index", ', ""))
    assert seen["title"] == f"plan {evil}"
    assert seen["legend"] == [evil, "joy"]


def test_a_line_of_gaps_alone_shows_a_sentence_and_no_error(
    tmp_path: Path, line: Line, shard: Callable[..., Path], look: Callable[..., Seen]
) -> None:
    sparse = daily_line([shard(random_rows(8, 2))], line.labels, IndexSettings(), 13)
    write_page(sparse, [], {}, tmp_path / "sparse.html")
    script = """const shown = (e) => getComputedStyle(e).display !== "none";
      const plots = [...document.querySelectorAll("figure")].filter(shown).length;
      return {sentence: shown(document.getElementById("nothing")), plots};"""
    assert look(tmp_path / "sparse.html", script) == {"sentence": True, "plots": 0}
