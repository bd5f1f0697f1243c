"""One HTML file that holds all it needs: plotly.js, the figures, the font. It asks the network for nothing."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from stages.monitor.analysis.forecast import Forecast
from stages.monitor.report.context import NO_CONTEXT, Context
from stages.monitor.report.context_sections import events_list, forecast_section, shards_section, words_section
from stages.monitor.report.estimates import estimates_table, sources_table
from stages.monitor.report.messages import (
    COMMENTS,
    NOTHING_DRAWN,
    PERIOD,
    SHARES,
    Language,
    both,
    index_name,
    language_of,
)
from stages.monitor.report.notes import (
    IS_NOT,
    OTHER_DOMAIN,
    bold_note,
    index_note,
    is_of_other_domain,
    limits_texts,
    method_texts,
)
from stages.monitor.report.plot_data import line_data
from stages.monitor.report.sections import (
    bullets,
    facts_table,
    figures_table,
    heading,
    paragraphs,
    results_table,
    value_html,
)
from stages.monitor.report.time_course import changes_list, others_table
from stages.monitor.report.web_font import web_font
from stages.monitor.schema.line import Line, headline, without_ends
from storage.files.atomic_write import write_whole
from studies.figures.fonts import Weight

Facts = Mapping[str, Mapping[str, object]]
WEIGHTS: tuple[Weight, ...] = ("regular", "bold")

DASHED = ("Dashed, blue, with its band: a forecast, see below.", "파란 파선과 띠: 예측(아래 설명).")
TAP = (
    "Click on a point: which shards, files and model it comes from.",
    "점을 누르면 어떤 조각, 파일, 모형에서 나온 값인지 보입니다.",
)
# facts with a place of their own on the page; any other section stands after these under its own name
OWN_PLACE = ("plan", "simulation", "labeller", "data", "method", "lineage")


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
    context: series, events, forecast, words and origins. pictures: HTML that stands below the sections, escaped.
    language: the one shown first, by default Korean where a label is written in Hangul; a button changes it.
    All text is escaped. The content security policy in the page forbids every request.
    """
    from plotly.offline import get_plotlyjs

    name = str(facts.get("plan", {}).get("name") or line.settings.name)
    body = {
        "title": escape(name),
        "language": language or language_of(line.labels),
        "subtitle": _subtitle(line),
        "warning": _warning(facts.get("simulation", {})) + _cautions(line),
        "controls": _controls(line),
        "index_heading": both(index_name(line.settings)),
        "index_note": both(index_note(line)) + (f" {both(DASHED)}" if _is_forecast(context) else ""),
        "index_hidden": "hidden" if line.settings.weights is None else "",
        "shares_heading": both(SHARES),
        "shares_note": both(bold_note(line)),
        "volume_heading": both(COMMENTS),
        "index_label": escape(_spoken(index_name(line.settings)[0], line)),
        "shares_label": escape(_spoken(SHARES[0], line)),
        "legend_label": "Labels shown",
        "volume_label": escape(_spoken(COMMENTS[0], line)),
        "figures_heading": heading("table"),
        "explanations": _explanations(line),
        "sections": _sections(line, results, facts, context) + pictures,
        "origin": both(TAP) if context.origins else "",
        "nothing": both(NOTHING_DRAWN),
        "figures": figures_table(line),
        "line": json_in_html(line_data(line, context)),
    }
    template, style, script = Template(_resource("page.html")), _resource("page.css"), _resource("page.js")
    # all that can be shown; control characters and the like find no glyph and are left out
    characters = set(template.template + script + "".join(body.values()) + "".join(map(chr, range(32, 127))))
    fonts = {weight: web_font(characters, weight) for weight in WEIGHTS}
    page = template.substitute(body, style=style, script=script, plotly=get_plotlyjs(), **fonts)
    write_whole(path, page.encode("utf-8"))


def _is_forecast(context: Context) -> bool:
    return any(isinstance(one, Forecast) for one in context.forecasts)


def _resource(name: str) -> str:
    return files("stages.monitor.report").joinpath(name).read_text("utf-8")


def json_in_html(data: object) -> str:
    """JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _spoken(name: str, line: Line) -> str:
    """What a screen reader says of a plot."""
    return f"Plot of {name}, {line.first} to {line.last}; the figures stand in the table at the end of the page"


def _subtitle(line: Line) -> str:
    parts = [f"{line.first} – {line.last}", f"{line.n:,} {both(COMMENTS)}"]
    if line.undated:
        text = (f"{line.undated:,} more without a usable time", f"날짜를 알 수 없는 댓글 {line.undated:,}개 제외")
        parts.append(both(text))
    return " · ".join([*parts, escape(line.settings.timezone)])


def _warning(simulation: Mapping[str, object]) -> str:
    if not simulation:
        return ""
    name = both(("Simulation", "모의 실험"))
    texts = "".join(f"<li>{value_html(text)}</li>" for text in simulation.values())
    return f'<aside class="warning" role="note"><strong>{name}</strong><ul>{texts}</ul></aside>'


def _cautions(line: Line) -> str:
    """What a reader must know before the picture: an estimate that could not be given, a basis that does not fit."""
    texts = [line.choice.why] if line.choice.drawn != line.settings.prevalence else []
    texts += [OTHER_DOMAIN] if is_of_other_domain(line) else []
    return f'<aside class="caution" role="note">{bullets(texts)}</aside>' if texts else ""


def _controls(line: Line) -> str:
    """Buttons of the lengths of period and of the two ways of drawing shares."""
    first = headline(line)
    lengths = [_button("every", every, PERIOD[every], every == first) for every in line.settings.every]
    drawings = [_button("view", "lines", ("lines", "선"), True), _button("view", "stacked", ("stacked", "누적"), False)]
    groups = [(("Length of period", "기간"), lengths), (("Shares as", "비율 그림"), drawings)]
    if line.beside is not None:
        on = _button("beside", "on", ("both", "둘 다"), True)
        off = _button("beside", "off", ("bold only", "굵은 선만"), False)
        groups.append((("The other estimate", "다른 추정"), [on, off]))
    return _source_picker(line) + "".join(
        f'<div class="buttons" role="group" aria-label="{escape(name[0])}">{"".join(buttons)}</div>'
        for name, buttons in groups
        if len(buttons) > 1
    )


def _source_picker(line: Line) -> str:
    """All sources, or one of those that are followed over time; numbered as in the page's figures."""
    followed = [source for source in line.sources if without_ends(source.periods)]
    if len(followed) < 2:
        return ""
    every = PERIOD[line.settings.every[-1]]
    told = 'data-en="All sources" data-ko="모든 출처"'
    options = "".join(
        f'<option value="{i}">{escape(source.name)} ({source.n:,})</option>' for i, source in enumerate(followed)
    )
    label = both((f"Source (by {every[0]})", f"출처({every[1]} 단위)"))
    return (
        f'<label class="picker">{label} <select id="source"><option value="" {told}>All sources</option>'
        f"{options}</select></label>"
    )


def _button(group: str, value: str, name: tuple[str, str], is_pressed: bool) -> str:
    pressed = str(is_pressed).lower()
    return f'<button type="button" data-{group}="{value}" aria-pressed="{pressed}">{both(name)}</button>'


def _explanations(line: Line) -> str:
    limits = f"<section><h2>{heading('limits')}</h2>{paragraphs(limits_texts(line))}</section>"
    return f"{limits}<section><h2>{heading('not')}</h2>{bullets(IS_NOT)}</section>"


def _sections(line: Line, results: Sequence[Mapping[str, object]], facts: Facts, context: Context) -> str:
    """Results first, then what made them, then the facts, each under its heading."""
    parts = [events_list(line, context), forecast_section(context), words_section(line, context.words)]
    parts += [results_table(results), estimates_table(line), sources_table(line)]
    parts += [changes_list(line), others_table(line, context.others)]
    for key in ("labeller", "data"):
        if facts.get(key):
            parts.append(f"<h2>{heading(key)}</h2>{facts_table(facts[key])}")
    parts.append(f"<h2>{heading('method')}</h2>{bullets(method_texts(line))}{facts_table(facts.get('method', {}))}")
    rest = [key for key in facts if key not in OWN_PLACE]
    for key in [*rest, "lineage"]:
        if facts.get(key):
            kind = ' class="lineage"' if key == "lineage" else ""
            parts.append(f"<div{kind}><h2>{heading(key)}</h2>{facts_table(facts[key])}</div>")
    parts.append(shards_section(context.origins))
    return "".join(f"<section>{part}</section>" for part in parts if part)
