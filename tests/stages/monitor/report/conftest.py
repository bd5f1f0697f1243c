"""The page of a line, written once."""

import pytest

from stages.monitor.report.html_page import write_page
from stages.monitor.schema.line import Line
from tests.helpers.written_pages import FACTS, RESULTS


@pytest.fixture(scope="session")
def page(line: Line, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "line.html"
    write_page(line, RESULTS, FACTS, path)
    return path.read_text("utf-8")
