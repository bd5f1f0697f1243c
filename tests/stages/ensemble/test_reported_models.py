"""Each model stands in the tables once, the ensemble last."""

import numpy as np

from stages.ensemble.reported_models import ReportedModel, ReportedModels


def model(name: str, stage: str = "search") -> ReportedModel:
    return ReportedModel(name, stage, {"validation": np.array([[0.5, 0.5]], np.float32)})


def test_the_best_single_model_stands_by_itself_only_where_it_is_no_stages_winner() -> None:
    one, two, ensemble = model("stage one"), model("stage two", "further"), model("ensemble (mean of 3)", "ensemble")
    best = ReportedModel("best single", "search", one.probabilities)
    assert [m.name for m in ReportedModels([one, two], best, ensemble).in_tables] == [
        "stage one",
        "stage two",
        "ensemble (mean of 3)",
    ]
    other = model("best single")
    assert [m.name for m in ReportedModels([one], other, ensemble).in_tables] == [
        "stage one",
        "best single",
        "ensemble (mean of 3)",
    ]
