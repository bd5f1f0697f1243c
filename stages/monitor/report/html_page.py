"""One self-contained HTML file, with plotly.js, the figures and the font; it makes no network request."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from markupsafe import Markup

from stages.monitor.analysis.change_points import STRICTNESS, change_points
from stages.monitor.analysis.cross_correlation import LEAST_PERIODS
from stages.monitor.analysis.events import within
from stages.monitor.report import notes
from stages.monitor.report.html_templates import json_in_html, render, source
from stages.monitor.report.messages import Language, index_name, language_of
from stages.monitor.report.page_context import NO_CONTEXT, Context
from stages.monitor.report.plot_data import line_data
from stages.monitor.schema.line import Line, headline, periods_of, without_ends
from storage.files.atomic_write import write_whole
from studies.figures.fonts import Weight, font_file

Facts = Mapping[str, Mapping[str, object]]
WEIGHTS: tuple[Weight, ...] = ("regular", "bold")


def write_page(
    line: Line,
    results: Sequence[Mapping[str, object]],
    facts: Facts,
    path: Path,
    *,
    language: Language | None = None,
    context: Context = NO_CONTEXT,
    pictures: str = "",
) -> None:
    """Writes the page, about 5 MB (plotly.js is 4.8 of them).

    results: rows with model, split, accuracy, macro_f1 (0 to 1 or None) and note. facts: sections of rows, values are
    text, numbers, lists or {"value", "low", "high"}; with a place of their own: plan (name: the title), simulation
    (each value is a warning shown on top), labeller (kappa: an interval), data, method, lineage (fingerprints).
    context: series, events, forecast, words and origins. pictures: HTML for below the sections, escaped.
    language: the one shown first, by default Korean where a label is written in Hangul; a button changes it.
    All text is escaped. The content security policy in the page forbids every request.
    """
    from plotly.offline import get_plotlyjs

    first_shown = headline(line)
    title = str(facts.get("plan", {}).get("name") or line.settings.name)
    body = render(
        "body.html.j2",
        title=title,
        results=results,
        facts=facts,
        context=context,
        pictures=Markup(pictures),
        data=json_in_html(line_data(line, context)),
        line=line,
        notes=notes,
        index_name=index_name(line.settings),
        first_shown=first_shown,
        periods=periods_of(line, line.settings.every[-1]),
        followed=[each for each in line.sources if without_ends(each.periods)],
        changes=change_points(line, first_shown),
        strictness=STRICTNESS,
        least_pairs=LEAST_PERIODS,
        events=within(line, context.events),
        forecast_notes=[note for one in context.forecasts for note in notes.forecast_notes(one)],
    )
    style, script = source("page.css"), source("page.js")
    # all that can be shown; control characters and the like find no glyph and are left out
    characters = set(body + script + "".join(map(chr, range(32, 127))))
    page = render(
        "page.html.j2",
        title=title,
        language=language or language_of(line.labels),
        fonts={weight: _web_font(characters, weight) for weight in WEIGHTS},
        style=style,
        body=body,
        plotly=Markup(get_plotlyjs()),
        script=script,
    )
    write_whole(path, page.encode("utf-8"))


def _web_font(characters: Iterable[str], weight: Weight) -> str:
    """NanumGothic's glyphs of these characters as a WOFF font in base64, for a data: address in @font-face.

    Characters that the font lacks are left out: the browser takes them from the reader's machine.
    """
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(flavor="woff", layout_features=["kern", "ccmp"], hinting=False, notdef_outline=True)
    # the licence reserves the name for the whole font, so a part of it keeps the copyright and loses the name
    options.name_IDs = [0, 7, 13, 14]
    options.drop_tables += ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]  # the type designer's own, of no use in print
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(set(characters))))
    woff = BytesIO()
    with load_font(str(font_file(weight)), options) as font:
        subsetter.subset(font)
        save_font(font, woff, options)
    return b64encode(woff.getvalue()).decode("ascii")
