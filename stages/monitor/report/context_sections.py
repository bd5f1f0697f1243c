"""Sections of the page on what stands beside the line: events, forecast, words, shards. All text is escaped."""

from html import escape

from stages.monitor.aggregation.provenance import Origins
from stages.monitor.analysis.distinctive_words import Word, Words
from stages.monitor.analysis.events import within
from stages.monitor.analysis.forecast import Forecast
from stages.monitor.analysis.outlier_periods import OutlierPeriod
from stages.monitor.report.context import Context
from stages.monitor.report.context_notes import forecast_texts
from stages.monitor.report.messages import PERIOD, Both, both
from stages.monitor.report.sections import bullets, heading, paragraphs, scrolling
from stages.monitor.schema.line import Line

MOST_SHARDS = 400  # rows of the page's table; all of them are in lineage.csv


def events_list(line: Line, context: Context) -> str:
    """Numbered as the marks in the plot are."""
    events = within(line, context.events)
    items = "".join(f"<li><span class=figure>{event.day}</span> {escape(event.text)}</li>" for event in events)
    note: Both = (
        "Upright lines with these numbers mark them. They are the plan's, and no claim that they moved the index.",
        "번호가 붙은 세로선입니다. 계획에 적힌 사건이며, 지수를 움직였다는 뜻은 아닙니다.",
    )
    return f"<h2>{heading('events')}</h2><ol>{items}</ol>{paragraphs([note])}" if events else ""


def forecast_section(context: Context) -> str:
    """What each forecast rests on and was worth, or why there is none."""
    if not context.forecasts:
        return ""
    texts = [
        text for one in context.forecasts for text in (forecast_texts(one) if isinstance(one, Forecast) else [one.why])
    ]
    return f"<h2>{heading('forecast')}</h2>{bullets(texts)}"


def words_section(line: Line, words: Words | None) -> str:
    """Words of the whole time, then those of each period that stands out."""
    if words is None:
        return ""
    rows = "".join(_row(label, [words.of(None, label, "emotions")]) for label in line.labels)
    overall = _table("words", [("Emotion", "감정"), ("against other emotions", "다른 감정과 견주어")], rows)
    periods = "".join(_period(line, words, i, period) for i, period in enumerate(words.periods))
    standing = f"<h2>{heading('standing')}</h2>{periods}" if periods else ""
    return f"{overall}{standing}{paragraphs([_note(words)])}"


def _period(line: Line, words: Words, number: int, period: OutlierPeriod) -> str:
    title: Both = (
        f"{period.label} {100 * period.share:.0f} %, about {100 * period.usual:.0f} % around it",
        f"{period.label} {100 * period.share:.0f} %, 앞뒤로는 {100 * period.usual:.0f} % 안팎",
    )
    name = f"{period.start} ({both(PERIOD[period.every])}): {both(title)}"
    labels = sorted(line.labels, key=lambda label: label != period.label)
    rows = "".join(
        _row(label, found)
        for label in labels
        if any(found := [words.of(period, label, "emotions"), words.of(period, label, "times")])
    )
    columns: list[Both] = [
        ("Emotion", "감정"),
        ("against other emotions", "다른 감정과 견주어"),
        ("against other times", "다른 때와 견주어"),
    ]
    examples = "".join(_examples(label, words.examples.get((number, label), ())) for label in labels)
    return f"<h3>{name}</h3>{_table('standing', columns, rows) if rows else ''}{examples}"


def _table(key: str, columns: list[Both], rows: str) -> str:
    head = "".join(f'<th scope="col">{both(column)}</th>' for column in columns)
    caption = f"<caption>{heading(key)}</caption>" if key == "words" else ""
    return scrolling(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", key)


def _row(label: str, lists: list[tuple[Word, ...]]) -> str:
    cells = "".join(f"<td>{', '.join(escape(word.text) for word in words) or '–'}</td>" for words in lists)
    return f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'


def _examples(label: str, texts: tuple[str, ...]) -> str:
    quotes = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<p class="note">{escape(label)}</p><ul class="examples">{quotes}</ul>' if quotes else ""


def _note(words: Words) -> Both:
    return (
        f"Strongest first, by log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008), from a "
        f"sample of {words.read:,} comments. A word counts once for each author, or comment where authors are masked "
        "or missing; one that fewer than five of them hold is left out. Words are what stands between spaces, so a "
        "Korean word with another particle is another word; irony and negation are not seen. A period stands out where "
        "a share is three deviations above those around it.",
        f"사전 정보를 쓴 로그 오즈(Monroe, Colaresi, Quinn 2008)가 큰 순서이며, 댓글 {words.read:,}개의 표본에서 "
        "얻었습니다. 낱말은 작성자마다, 작성자가 가려졌거나 없으면 댓글마다 한 번만 세고, 다섯보다 적은 곳에 나온 "
        "낱말은 뺍니다. 낱말은 띄어쓰기 단위라 조사가 다르면 다른 낱말이며, 반어와 부정은 알지 못합니다. 비율이 앞뒤 "
        "기간보다 편차의 세 배 넘게 높은 기간을 두드러진다고 봅니다.",
    )


def shards_section(origins: Origins | None) -> str:
    """What a point's shards are: where they lie, which file's content and rows they classify, and by which model."""
    if origins is None:
        return ""
    columns: list[Both] = [
        ("Number", "번호"),
        ("Shard", "조각"),
        ("SHA-256 of the comment file", "댓글 파일의 SHA-256"),
        ("from row", "시작 행"),
        ("Comments", "댓글"),
        ("Model", "모형"),
    ]
    rows = "".join(
        f'<tr><td class="figure">{i}</td><td>{escape(shard.name)}</td><td>{escape(shard.file)}</td>'
        f'<td class="figure">{shard.first_row:,}</td><td class="figure">{shard.rows:,}</td>'
        f"<td>{escape(shard.model)}</td></tr>"
        for i, shard in enumerate(origins.shards[:MOST_SHARDS], start=1)
    )
    rest: list[Both] = [
        ("All of them stand in lineage.csv, period by period.", "기간별 전체 목록은 lineage.csv에 있습니다.")
    ]
    name = f"<summary>{heading('shards')}</summary>"
    return f'<details class="lineage">{name}{_table("shards", columns, rows)}{paragraphs(rest)}</details>'
