"""The page's table of models has an interval behind every figure."""

from stages.monitor.report.model_figures import results_table
from stages.study_runs.table_rows import row
from tests.helpers.shown_studies import scores


def test_the_pages_table_has_intervals_of_accuracy_and_macro_f1() -> None:
    result = row("TF-IDF", "reference", "test", scores()).model_dump()
    low, high = (result["intervals"]["accuracy"][end] for end in ("low", "high"))
    assert f">{result['accuracy']:.3f} ({low:.3f} – {high:.3f})<" in results_table([result])
    assert ">0.500<" in results_table([{**result, "accuracy": 0.5, "intervals": None}])  # of an older run
