"""The page's table of models has an interval behind every figure."""

from stages.monitor.report.model_figures import results_table
from stages.study_runs.table_rows import row
from tests.helpers.shown_studies import scores


def test_so_has_that_of_the_pages() -> None:
    told = row("TF-IDF", "reference", "test", scores()).model_dump()
    low, high = (told["intervals"]["accuracy"][end] for end in ("low", "high"))
    assert f">{told['accuracy']:.3f} ({low:.3f} – {high:.3f})<" in results_table([told])
    assert ">0.500<" in results_table([{**told, "accuracy": 0.5, "intervals": None}])  # of an older run
