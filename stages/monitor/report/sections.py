"""The page's tables and prose as HTML. Every text that comes from outside is escaped here."""

from collections.abc import Mapping, Sequence
from html import escape

from stages.monitor.report.messages import (
    COLUMNS,
    COMMENTS,
    HEADINGS,
    METHODS,
    PERIOD,
    ROWS,
    SHARES,
    Both,
    both,
    index_name,
)
from stages.monitor.schema.line import Estimate, Line, periods_of

NOTHING = "–"


def heading(key: str) -> str:
    """A known section's heading in both languages; another's is its own name."""
    return both(HEADINGS.get(key, (_spaced(key), _spaced(key))))


def results_table(results: Sequence[Mapping[str, object]]) -> str:
    """The models' scores; each row's header is its model, so that a screen reader names it with every cell."""
    if not results:
        return ""
    head = "".join(f'<th scope="col">{both(name)}</th>' for name in COLUMNS.values())
    rows = "".join(_result(row) for row in results)
    return scrolling(
        f"<table><caption>{heading('results')}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>",
        "results",
    )


def _result(row: Mapping[str, object]) -> str:
    told = row.get("intervals")
    intervals = told if isinstance(told, Mapping) else {}
    cells = "".join(_cell(intervals.get(key, row.get(key))) for key in list(COLUMNS)[1:])
    return f'<tr><th scope="row">{value_html(row.get("model"))}</th>{cells}</tr>'


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return f'<td class="figure">{value["value"]:.3f} ({value["low"]:.3f} – {value["high"]:.3f})</td>'
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f'<td class="figure">{value:.3f}</td>'
    return f"<td>{value_html(value)}</td>"


def scrolling(table: str, label: str) -> str:
    """A box in which a wide table scrolls on a phone, reachable by keyboard."""
    name = escape(HEADINGS[label][0])
    return f'<div class="scrolling" role="region" tabindex="0" aria-label="{name}">{table}</div>'


def facts_table(rows: Mapping[str, object]) -> str:
    """Names and values of one section of facts."""
    pairs = "".join(f"<dt>{_row_name(key)}</dt><dd>{value_html(value)}</dd>" for key, value in rows.items())
    return f"<dl>{pairs}</dl>"


def _row_name(key: str) -> str:
    return both(ROWS.get(key, (_spaced(key), _spaced(key))))


def _spaced(key: str) -> str:
    return key.replace("_", " ")


def value_html(value: object) -> str:
    """A fact as escaped text: figures rounded, intervals in words, lists and mappings in a row."""
    match value:
        case None | "":
            text = NOTHING
        case bool():
            text = both(("yes", "예") if value else ("no", "아니요"))
        case int():
            text = f"{value:,}"
        case float():
            text = f"{value:.4g}"
        case Mapping():
            text = _mapping_html(value)
        case list() | tuple():
            text = ", ".join(value_html(item) for item in value)
        case _:
            text = escape(str(value))
    return text


def _mapping_html(value: Mapping[str, object]) -> str:
    if {"value", "low", "high"} <= set(value):
        low, high = value_html(value["low"]), value_html(value["high"])
        return f"{value_html(value['value'])} ({low} – {high})"
    return ", ".join(f"{escape(str(key))} {value_html(item)}" for key, item in value.items())


def paragraphs(texts: Sequence[Both]) -> str:
    return "".join(f"<p>{both(text)}</p>" for text in texts)


def bullets(texts: Sequence[Both]) -> str:
    return "<ul>" + "".join(f"<li>{both(text)}</li>" for text in texts) + "</ul>"


def figures_table(line: Line) -> str:
    """The longest periods as a table: what the plots show, for screen readers, print and browsers without script."""
    every = line.settings.every[-1]
    names = [PERIOD[every], COMMENTS]
    head = "".join(f'<th scope="col">{both((en.capitalize(), ko))}</th>' for en, ko in names)
    if line.settings.weights is not None:
        head += f'<th scope="col">{both(index_name(line.settings))}</th>'
        head += f'<th scope="col">{both(METHODS[line.beside])}</th>' if line.beside else ""
    head += "".join(f'<th scope="col">{escape(label)}</th>' for label in line.labels)
    rows = ""
    for period in periods_of(line, every):
        cells = f'<th scope="row">{period.start}</th><td class="figure">{period.n:,}</td>'
        if line.settings.weights is not None:
            cells += estimate_cell(period.index, 1, "")
            other = period.methods.get(line.beside) if line.beside else None
            cells += estimate_cell(other.index if other else None, 1, "") if line.beside else ""
        cells += "".join(estimate_cell(share, 100, " %") for share in period.shares.values())
        rows += f"<tr>{cells}</tr>"
    caption = both((f"{SHARES[0]}, 95 % intervals in brackets", f"{SHARES[1]}, 괄호 안은 95 % 구간"))
    table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return scrolling(table, "table")


def estimate_cell(estimate: Estimate | None, scale: float, unit: str) -> str:
    if estimate is None:
        return f'<td class="figure">{NOTHING}</td>'
    text = f"{estimate.value * scale:.1f}{unit}"
    if estimate.low is not None and estimate.high is not None:
        text += f' <span class="interval">({estimate.low * scale:.1f}–{estimate.high * scale:.1f})</span>'
    return f'<td class="figure">{text}</td>'
