import json
import re
from collections.abc import Callable
from pathlib import Path

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.report.html_page import write_page
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from tests.helpers.classified_shards import WEIGHTS, random_rows
from tests.helpers.written_pages import without_plotly

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def test_the_page_holds_everything_and_asks_the_network_for_nothing(page: str) -> None:
    ours = without_plotly(page)
    assert len(ours) < 500_000 < len(page)
    assert re.findall(r"""(?:src|href|action)\s*=\s*["']?(?!data:)|@import|url\((?!data:)|https?://""", ours) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', ours)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    assert "http" not in policy[1]


def test_names_and_labels_are_text_and_never_markup(tmp_path: Path, shard: Callable[..., Path]) -> None:
    labels = [EVIL, "</script><b>", '"quoted" & co']
    weights = {EVIL: 1.0, labels[1]: 0.0, labels[2]: -1.0}
    settings = IndexSettings(weights=weights, name=f"index {EVIL}", every=["month"])
    line = daily_line([shard(random_rows(300, 3, labels=labels), labels=labels)], labels, settings, 13)
    facts: dict[str, dict[str, object]] = {
        EVIL: {EVIL: [EVIL, {EVIL: EVIL}]},
        "plan": {"name": EVIL},
        "simulation": {"a": EVIL},
    }
    write_page(line, [dict.fromkeys(("model", "split", "accuracy", "macro_f1", "note"), EVIL)], facts, tmp_path / "p")
    ours = without_plotly((tmp_path / "p").read_text("utf-8"))
    assert "<img" not in ours
    assert "alert('x')</script>" not in ours
    assert ours.count("<script") == 2  # the figures and the page's own
    data = re.search(r'<script type="application/json" id="line">(.*?)</script>', ours, re.DOTALL)
    assert data is not None
    assert [label["name"] for label in json.loads(data[1])["labels"]] == labels


def test_a_screen_reader_can_read_results_row_by_row(page: str) -> None:
    table = re.search(r"<table><caption>.*?Results of the models.*?</table>", page, re.DOTALL)
    assert table is not None
    assert table[0].count('<th scope="col">') == 5
    assert '<th scope="row">klue/roberta-base</th><td>gold</td><td class="figure">0.684</td>' in table[0]
    assert "simulated" in table[0]


def test_facts_stand_on_the_page_with_kappa_and_its_interval(page: str) -> None:
    assert "<title>댓글 &amp; more</title>" in page
    assert "0.512 (0.448 – 0.571)" in page
    assert "251,161" in page
    assert "3f9a77bd1cbe" in page
    assert "hardware" in page


def test_formula_weights_zone_gaps_and_limits_are_there_in_both_languages(page: str) -> None:
    for words in (
        "50 + 50 × Σ weight(label) × share(label) / max |weight|",
        "분노 -1, 슬픔 -1, 중립 0, 기쁨 +1",
        "UTC",
        "fewer than 20 comments is a gap and is never interpolated: 2 of 39 days",
        "They do not hold the classifier&#x27;s own errors",
        "분류기 자체의 오류는 담지 않습니다",
        "It diagnoses nobody",
        "누구도 진단하지 않고",
        "5 more without a usable time",
        "do not reach across the week of 2024-02-05, the month of 2024-02-01",
        "2024-02-05의 주, 2024-02-01의 월은(는) 온전하지 않습니다",
        "expressed-emotion index",
        "표현 감정 지수",
    ):
        assert words in page, words


def test_a_simulation_is_announced_on_top_and_otherwise_not(line: Line, page: str, tmp_path: Path) -> None:
    assert 'class="warning"' not in page
    write_page(line, [], {"simulation": {"labeller": "a stand-in"}}, tmp_path / "p.html")
    simulated = (tmp_path / "p.html").read_text("utf-8")
    assert simulated.index("a stand-in") < simulated.index("<figure")


def test_without_weights_the_page_explains_why_there_is_no_index(tmp_path: Path, shard: Callable[..., Path]) -> None:
    labels = ["joy", "anger"]
    line = daily_line([shard(random_rows(300, 3, labels=labels), labels=labels)], labels, IndexSettings(), 13)
    write_page(line, [], {}, tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text("utf-8")
    assert "the plan gives no weights" in text
    assert "<figure hidden>" in text
    assert '<html lang="en">' in text


def test_the_language_shown_first_follows_the_labels_unless_asked_for(line: Line, page: str, tmp_path: Path) -> None:
    assert '<html lang="ko">' in page
    write_page(line, [], {}, tmp_path / "p.html", language="en")
    assert '<html lang="en">' in (tmp_path / "p.html").read_text("utf-8")


def test_a_line_of_gaps_alone_makes_a_page_with_a_sentence_about_it(
    tmp_path: Path, shard: Callable[..., Path], line: Line
) -> None:
    sparse = daily_line([shard(random_rows(8, 2))], line.labels, IndexSettings(weights=WEIGHTS), 13)
    write_page(sparse, [], {}, tmp_path / "p.html")
    assert "No period has enough comments" in (tmp_path / "p.html").read_text("utf-8")
