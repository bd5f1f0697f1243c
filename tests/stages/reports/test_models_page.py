"""The page of all models is one file that shows the table and the pictures, and asks the network for nothing."""

from collections.abc import Callable
from pathlib import Path

from stages.monitor.report.model_figures import Picture
from stages.reports.models_page import write_models_page
from stages.results.study_results import ModelScores
from stages.runtime.run_context import Run


def test_table_and_pictures_stand_in_the_page_and_texts_are_escaped(a_run: Callable[..., Run], tmp_path: Path) -> None:
    run = a_run()
    figures = {"accuracy": 0.7, "macro_f1": 0.6, "weighted_f1": 0.5}
    row = ModelScores(model="a <b>", stage="reference", split="test", n=40, **figures)
    write_models_page(run, [row], [Picture("confusion", b"png")], tmp_path / "models.html")
    page = (tmp_path / "models.html").read_text(encoding="utf-8")
    assert "<h1>small</h1>" in page
    assert '<th scope="row">a &lt;b&gt;</th>' in page
    assert 'src="data:image/png;base64,cG5n"' in page
    assert '<span lang="ko">혼동 행렬</span>' in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
