"""What the page says of the index's course over time: changes of level, and other series beside it."""

from collections.abc import Sequence
from html import escape

from stages.monitor.analysis.change_points import STRICTNESS, changes, is_known
from stages.monitor.analysis.cross_correlation import LEAST_PERIODS, Correlation, OtherSeriesLine
from stages.monitor.report.messages import METHODS, PERIOD, Both, both
from stages.monitor.report.sections import NOTHING, bullets, heading, paragraphs, scrolling
from stages.monitor.schema.line import Line, headline


def changes_list(line: Line) -> str:
    """The changes that the plot of the index marks, by the length of period shown first."""
    if line.settings.weights is None:
        return ""
    every = headline(line)
    if not is_known():
        return ""
    found = changes(line, every)
    note = (
        "Marked by dotted upright lines in the plot of the index: where its mean changed for longer than a few "
        f"{PERIOD[every][0]}s (PELT, least squares, {STRICTNESS:.0f} × the usual penalty). A line tells when, not why.",
        f"지수 그림의 세로 점선: 평균이 여러 {PERIOD[every][1]} 동안 바뀐 때입니다(PELT, 최소 제곱, 통상 벌점의 "
        f"{STRICTNESS:.0f}배). 언제인지를 말할 뿐 까닭을 말하지 않습니다.",
    )
    items: list[Both] = [(f"{c.start}: {c.before:.1f} → {c.after:.1f}",) * 2 for c in found]
    return f"<h2>{heading('changes')}</h2>{paragraphs([note])}{bullets(items)}" if found else ""


def others_table(line: Line, others: Sequence[OtherSeriesLine]) -> str:
    """A row for each series: correlation now, of the changes, as counted, and at the strongest lag."""
    if not others:
        return ""
    columns: list[Both] = [
        ("Series", "시계열"),
        ("Pairs", "짝"),
        METHODS[line.choice.drawn],
        *([METHODS["raw"]] if line.is_corrected else []),
        ("of the changes", "변화끼리"),
        ("strongest lag", "가장 강한 시차"),
    ]
    head = "".join(f'<th scope="col">{both(column)}</th>' for column in columns)
    rows = "".join(_row(line, other) for other in others)
    table = f"<table><caption>{heading('others')}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return scrolling(table, "others") + paragraphs([_note()])


def _row(line: Line, other: OtherSeriesLine) -> str:
    every = PERIOD[other.settings.every]
    now = at_lag(other.drawn, 0)
    name = f"{escape(other.settings.name)} <span class=plain>({both(every)})</span>"
    cells = [f'<td class="figure">{now.n if now else NOTHING}</td>', _cell(now)]
    cells += [_cell(at_lag(other.raw, 0))] if line.is_corrected else []
    strongest = max(other.drawn, key=lambda c: abs(c.r), default=None)
    cells += [_cell(at_lag(other.steps, 0)), _cell(strongest, with_lag=True)]
    return f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>'


def at_lag(found: Sequence[Correlation], lag: int) -> Correlation | None:
    return next((correlation for correlation in found if correlation.lag == lag), None)


def _cell(found: Correlation | None, with_lag: bool = False) -> str:
    if found is None:
        return f'<td class="figure">{NOTHING}</td>'
    lag = f"{found.lag:+d}: " if with_lag else ""
    interval = f'<span class="interval">({found.low:.2f} – {found.high:.2f})</span>'
    return f'<td class="figure">{lag}{found.r:.2f} {interval}</td>'


def _note() -> Both:
    return (
        "Pearson's r with 95 % intervals from a block bootstrap over periods; a lag of +1 sets the index beside the "
        "other series one period later. The strongest of several lags looks stronger than it is. Series that both "
        "drift correlate without cause: trust the column of changes more. No correlation is a cause. Fewer than "
        f"{LEAST_PERIODS} pairs give none.",
        "피어슨 r과 기간 블록 부트스트랩 95 % 구간. 시차 +1은 지수를 한 기간 뒤의 다른 시계열과 "
        "견줍니다. 여러 시차 가운데 가장 "
        "강한 것은 실제보다 강해 보입니다. 함께 흐르는 시계열은 까닭 없이도 상관하므로 변화끼리의 열을 "
        "더 믿으십시오. 상관은 "
        f"원인이 아닙니다. 짝이 {LEAST_PERIODS}개보다 적으면 내지 않습니다.",
    )
