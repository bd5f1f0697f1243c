"""Tables of the page that set estimates side by side: every method over the whole time, and the largest sources."""

from html import escape

from stages.monitor.report.messages import COMMENTS, ESTIMATE, METHODS, SOURCE, Both, both, index_name
from stages.monitor.report.sections import estimate_cell, heading, scrolling
from stages.monitor.schema.line import Figures, Line, Total


def estimates_table(line: Line) -> str:
    """A row a method; the one drawn bold stands in bold."""
    rows = ""
    for method, figures in line.overall.methods.items():
        name = both(METHODS[method])
        is_drawn = method == line.choice.drawn
        rows += f'<tr><th scope="row">{name if is_drawn else f"<span class=plain>{name}</span>"}</th>'
        rows += f"{_cells(line, figures)}</tr>"
    return _table(line, "estimates", [ESTIMATE], rows) if rows else ""


def sources_table(line: Line) -> str:
    """A row a source, by the estimate that is drawn."""
    rows = "".join(_source(line, source) for source in line.sources)
    return _table(line, "sources", [SOURCE, COMMENTS], rows) if len(line.sources) > 1 else ""


def _source(line: Line, source: Total) -> str:
    figures = source.methods.get(line.choice.drawn)
    name = f'<th scope="row"><span class=plain>{escape(source.name)}</span></th><td class="figure">{source.n:,}</td>'
    return f"<tr>{name}{_cells(line, figures)}</tr>"


def _cells(line: Line, figures: Figures | None) -> str:
    found = "" if line.settings.weights is None else estimate_cell(figures.index if figures else None, 1, "")
    return found + "".join(estimate_cell(figures.shares[x] if figures else None, 100, " %") for x in line.labels)


def _table(line: Line, key: str, first: list[Both], rows: str) -> str:
    names = [both((en.capitalize(), ko)) for en, ko in first]
    names += [] if line.settings.weights is None else [both(index_name(line.settings))]
    head = "".join(f'<th scope="col">{name}</th>' for name in [*names, *map(escape, line.labels)])
    caption = f"<caption>{heading(key)}</caption>"
    return scrolling(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", key)
