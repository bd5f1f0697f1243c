"""HTML from templates/: all values are escaped, and texts are in both languages."""

import json
from functools import cache
from html import escape
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stages.monitor.report.messages import Text, message, named


def render(template: str, **values: object) -> Markup:
    """A template's HTML. Raises jinja2.UndefinedError where it needs a value that is not given."""
    return Markup(_environment().get_template(template).render(values))


def source(name: str) -> Markup:
    """A style sheet or script of templates/, as it is."""
    return Markup(files("stages.monitor.report").joinpath("templates", name).read_text("utf-8"))


def both(text: Text) -> Markup:
    """HTML with both languages; the page's style shows one of them."""
    english, korean = escape(text.en), escape(text.ko)
    if english == korean:
        return Markup(english)
    return Markup(f'<span lang="en">{english}</span><span lang="ko">{korean}</span>')


def json_in_html(data: object) -> Markup:
    """JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("stages.monitor.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["both"] = both
    environment.globals |= {"message": message, "named": named}
    return environment
