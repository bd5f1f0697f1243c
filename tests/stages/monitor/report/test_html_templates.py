"""Values in the page's HTML are text, in both languages; data in its scripts cannot end them."""

import json

import pytest
from jinja2 import UndefinedError

from stages.monitor.report.html_templates import both, json_in_html, render, source
from stages.monitor.report.messages import Text


def test_a_text_is_escaped_in_both_languages_and_given_once_where_they_agree() -> None:
    assert both(Text("a < b", "가 & 나")) == '<span lang="en">a &lt; b</span><span lang="ko">가 &amp; 나</span>'
    assert both(Text("<b>", "<b>")) == "&lt;b&gt;"


def test_no_text_in_data_ends_the_script() -> None:
    data = {"name": "</script><script>alert(1)</script> & 기쁨", "gap": None}
    found = json_in_html(data)
    assert not {"<", ">", "&"} & set(found)
    assert json.loads(found) == data
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_in_html(float("nan"))


def test_a_template_needs_all_its_values() -> None:
    with pytest.raises(UndefinedError):
        render("page.html.j2")


def test_a_style_sheet_is_given_as_it_is() -> None:
    assert "{" in source("page.css")
