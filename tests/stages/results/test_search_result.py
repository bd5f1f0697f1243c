"""Stage one's results of 0.1.0 are read, and come out as they were stored."""

from typing import Any

from stages.results.study_results import SearchResult

# As 0.1.0 stored it, of which some studies and rows are left out.
STORED: dict[str, Any] = {
    "studies": [
        {
            "name": "rich · basic · models/bert · all data",
            "candidate": "models/bert",
            "what": "the best of the subset, on all data",
            "target": 2,
            "complete": 2,
            "pruned": 0,
            "failed": 0,
            "running": 0,
            "waiting": 0,
            "best": {
                "fresh": {
                    "trial": 0,
                    "value": 1.0,
                    "n": 2,
                    "mean": 1.0,
                    "low": 1.0,
                    "high": 1.0,
                    "values": [1.0, 1.0],
                    "failed": 0,
                    "macro_f1": {"mean": 1.0, "low": 1.0, "high": 1.0},
                    "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                },
                "trial": 0,
                "value": 1.0,
                "params": {
                    "learning_rate": 0.003,
                    "weight_decay": 0.01,
                    "warmup_share": 0.1,
                    "label_smoothing": 0.0,
                    "class_weighting": "none",
                    "frozen_layers": 0,
                    "layer_decay": 1.0,
                },
                "moved": "learning_rate",
                "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                "intervals": {
                    "accuracy": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "macro_f1": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "weighted_f1": {"value": 1.0, "low": 0.9999999999999999, "high": 1.0},
                },
            },
            "rechecked": [
                {
                    "trial": 0,
                    "value": 1.0,
                    "n": 2,
                    "mean": 1.0,
                    "low": 1.0,
                    "high": 1.0,
                    "values": [1.0, 1.0],
                    "failed": 0,
                    "macro_f1": {"mean": 1.0, "low": 1.0, "high": 1.0},
                    "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                },
                {
                    "trial": 1,
                    "value": 0.8916042141848594,
                    "n": 2,
                    "mean": 1.0,
                    "low": 1.0,
                    "high": 1.0,
                    "values": [1.0, 1.0],
                    "failed": 0,
                    "macro_f1": {"mean": 1.0, "low": 1.0, "high": 1.0},
                    "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                },
            ],
            "baseline": {
                "fresh": None,
                "trial": 0,
                "value": 1.0,
                "params": {
                    "learning_rate": 0.003,
                    "weight_decay": 0.01,
                    "warmup_share": 0.1,
                    "label_smoothing": 0.0,
                    "class_weighting": "none",
                    "frozen_layers": 0,
                    "layer_decay": 1.0,
                },
                "moved": "learning_rate",
                "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                "intervals": {
                    "accuracy": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "macro_f1": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "weighted_f1": {"value": 1.0, "low": 0.9999999999999999, "high": 1.0},
                },
            },
            "failures": [
                {"trial": 3, "state": "complete", "reason": "collapsed: every validation text is given 'sadness'"}
            ],
        }
    ],
    "winner": {
        "candidate": "models/bert",
        "study": "rich · basic · models/bert · all data",
        "trial": 0,
        "value": 1.0,
        "fresh": {
            "trial": 0,
            "value": 1.0,
            "n": 2,
            "mean": 1.0,
            "low": 1.0,
            "high": 1.0,
            "values": [1.0, 1.0],
            "failed": 0,
            "macro_f1": {"mean": 1.0, "low": 1.0, "high": 1.0},
            "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
        },
        "name": "basic/models-bert/trial-0",
        "interval": {"value": 1.0, "low": 1.0, "high": 1.0},
    },
    "rows": [
        {
            "model": "majority class",
            "stage": "reference",
            "split": "validation",
            "n": 40,
            "accuracy": 0.375,
            "macro_f1": 0.1818181818181818,
            "weighted_f1": 0.20454545454545453,
            "low": 0.12244897959183675,
            "high": 0.22950819672131148,
            "intervals": {
                "accuracy": {"value": 0.375, "low": 0.225, "high": 0.525},
                "macro_f1": {"value": 0.1818181818181818, "low": 0.12244897959183675, "high": 0.22950819672131148},
                "weighted_f1": {"value": 0.20454545454545453, "low": 0.0826530612244898, "high": 0.3614754098360656},
            },
            "note": "",
        },
        {
            "model": "models/bert, stage one, mean of 2 fresh seeds",
            "stage": "basic",
            "split": "validation",
            "n": 40,
            "accuracy": 1.0,
            "macro_f1": 1.0,
            "weighted_f1": 1.0,
            "low": 1.0,
            "high": 1.0,
            "intervals": {"macro_f1": {"mean": 1.0, "low": 1.0, "high": 1.0, "value": 1.0}},
            "note": "",
        },
    ],
    "stopped": None,
    "extent": {"trials": 4, "recheck": {"top": 2, "seeds": 2}, "refit": 2},
    "fingerprint": "064e75ccde54f1775fc5f9b516afd135",
}


def test_a_result_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    result = SearchResult.model_validate(STORED)
    assert result.as_json() == {**STORED, "schema_version": 1, "winner": {**STORED["winner"], "path": None}}
    assert result.winner.interval is not None
    assert result.winner.fresh is not None
    assert result.studies[0].rechecked[0].macro_f1.mean == 1.0
    assert result.rows[1].intervals is not None
    assert set(result.rows[1].intervals) == {"macro_f1"}


def test_what_a_result_of_before_intervals_and_fresh_seeds_lacks_is_filled_in() -> None:
    winner = {name: STORED["winner"][name] for name in ("candidate", "study", "trial", "value", "name")}
    study = {name: value for name, value in STORED["studies"][0].items() if name not in {"rechecked", "what"}}
    result = SearchResult.model_validate({"studies": [study], "winner": winner, "rows": []})
    assert result.winner.interval is None
    assert result.winner.fresh is None
    assert result.studies[0].rechecked == []
    assert result.stopped is None
