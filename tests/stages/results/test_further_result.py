"""Stage two's results of 0.1.0 are read, and come out as they were stored."""

from typing import Any

from stages.results.further_result import AblationResult, FurtherResult

# As 0.1.0 stored it, of which some studies and rows are left out.
STORED: dict[str, Any] = {
    "studies": [
        {
            "name": "rich · further · models/bert · round 2 64370b · controls",
            "candidate": "models/bert",
            "what": "stage two's controls",
            "target": 2,
            "complete": 2,
            "pruned": 0,
            "failed": 0,
            "running": 0,
            "waiting": 0,
            "best": {
                "fresh": None,
                "trial": 0,
                "value": 1.0,
                "params": {"arm": "original data only"},
                "moved": "",
                "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                "intervals": {
                    "accuracy": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "macro_f1": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "weighted_f1": {"value": 1.0, "low": 0.9999999999999999, "high": 1.0},
                },
            },
            "rechecked": [],
            "baseline": None,
            "failures": [],
        }
    ],
    "winner": {
        "candidate": "models/bert",
        "study": "rich · further · models/bert · round 2 64370b",
        "trial": 1,
        "value": 1.0,
        "fresh": {
            "trial": 1,
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
        "name": "further/models-bert-round-2-64370b/trial-1",
        "round": 2,
        "interval": {"value": 1.0, "low": 1.0, "high": 1.0},
    },
    "rounds": [
        {
            "round": 1,
            "labels": 80,
            "teacher": [],
            "value": 0.9922480620155039,
            "interval": {"value": 1.0, "low": 1.0, "high": 1.0},
        },
        {
            "round": 2,
            "labels": 110,
            "teacher": ["further/models-bert/trial-0", "further/models-bert/trial-1"],
            "value": 1.0,
            "interval": {"value": 1.0, "low": 1.0, "high": 1.0},
        },
    ],
    "target": "gold",
    "rows": [
        {
            "model": "stage two",
            "stage": "further",
            "split": "gold report",
            "n": 70,
            "accuracy": 1.0,
            "macro_f1": 1.0,
            "weighted_f1": 1.0,
            "low": 1.0,
            "high": 1.0,
            "intervals": {
                "accuracy": {"value": 1.0, "low": 1.0, "high": 1.0},
                "macro_f1": {"value": 1.0, "low": 1.0, "high": 1.0},
                "weighted_f1": {"value": 1.0, "low": 0.9999999999999999, "high": 1.0},
            },
            "note": "",
        }
    ],
    "comparisons": [
        {
            "than": "stage one, as it is",
            "split": "gold report",
            "n": 70,
            "difference": 0.10653993474251677,
            "low": 0.042626789776528895,
            "high": 0.18907900369450115,
            "verdict": "better",
        },
        {
            "than": "original data only, as many steps",
            "split": "gold report",
            "n": 70,
            "difference": 0.0,
            "low": 0.0,
            "high": 0.0,
            "verdict": "not shown",
        },
        {
            "than": "pseudo-labels only, as many steps",
            "split": "gold report",
            "n": 70,
            "difference": 0.0,
            "low": 0.0,
            "high": 0.0,
            "verdict": "not shown",
        },
    ],
    "against_stage_one": {
        "than": "stage one, as it is",
        "split": "gold report",
        "n": 70,
        "difference": 0.10653993474251677,
        "low": 0.042626789776528895,
        "high": 0.18907900369450115,
        "verdict": "better",
    },
    "warnings": [],
    "stopped": None,
    "extent": {
        "trials": 3,
        "labels": 80,
        "simulation": False,
        "compared on": "76673fbbb3365a3d3ac185977136bfa30270a33846509fbf712f7383f04590df",
        "recheck": {"top": 1, "seeds": 2},
        "rounds": 2,
    },
    "fingerprint": "93ad77d3f81aef4f9a87bf1fd49373f4",
}
ABLATION: dict[str, Any] = {
    "studies": [
        {
            "name": "rich · further · models/bert · round 2 64370b · controls",
            "candidate": "models/bert",
            "what": "stage two's controls",
            "target": 15,
            "complete": 15,
            "pruned": 0,
            "failed": 0,
            "running": 0,
            "waiting": 0,
            "best": {
                "fresh": None,
                "trial": 0,
                "value": 1.0,
                "params": {"arm": "original data only"},
                "moved": "",
                "scores": {"accuracy": 1.0, "macro_f1": 1.0, "weighted_f1": 1.0},
                "intervals": {
                    "accuracy": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "macro_f1": {"value": 1.0, "low": 1.0, "high": 1.0},
                    "weighted_f1": {"value": 1.0, "low": 0.9999999999999999, "high": 1.0},
                },
            },
            "rechecked": [],
            "baseline": None,
            "failures": [],
        }
    ],
    "rows": [
        {
            "model": "original data only",
            "stage": "ablation",
            "split": "validation",
            "n": 40,
            "seeds": 3,
            "accuracy": 1.0,
            "macro_f1": 1.0,
            "low": 1.0,
            "high": 1.0,
            "sd": 0.0,
            "values": [1.0, 1.0, 1.0],
            "note": "",
        },
        {
            "model": "pseudo-labels only",
            "stage": "ablation",
            "split": "validation",
            "n": 40,
            "seeds": 3,
            "accuracy": 0.9916666666666667,
            "macro_f1": 0.9920533560380304,
            "low": 0.9614030425505405,
            "high": 1.0,
            "sd": 0.013763991091791867,
            "values": [1.0, 1.0, 0.9761600681140911],
            "note": "",
        },
    ],
    "comparisons": [
        {
            "model": "both",
            "than": "pseudo-labels only",
            "split": "gold report",
            "n": 70,
            "difference": 0.00010394054883422488,
            "low": -0.03277543722832029,
            "high": 0.026711749441597585,
            "verdict": "not shown",
        },
        {
            "model": "stage one's recipe, adapted",
            "than": "stage one's recipe, not adapted",
            "split": "gold report",
            "n": 70,
            "difference": -0.009326619404138814,
            "low": -0.03931368671586072,
            "high": 0.0,
            "verdict": "not shown",
        },
    ],
    "warnings": [],
    "extent": {"seeds": 3, "simulation": False},
    "fingerprint": "3479da8c4c806284e1aed43f9eb2566c",
}


def test_a_result_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    result = FurtherResult.model_validate(STORED)
    assert result.as_json() == {**STORED, "schema_version": 1, "winner": {**STORED["winner"], "path": None}}
    assert result.winner.round == 2
    assert result.rounds[1].teacher == ["further/models-bert/trial-0", "further/models-bert/trial-1"]


def test_what_a_result_of_before_rounds_lacks_is_filled_in() -> None:
    older = {name: value for name, value in STORED.items() if name not in {"rounds", "stopped"}}
    winner = {name: value for name, value in STORED["winner"].items() if name not in {"round", "interval"}}
    result = FurtherResult.model_validate({**older, "winner": winner})
    assert result.winner.round == 1
    assert result.rounds == []


def test_an_ablation_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    result = AblationResult.model_validate(ABLATION)
    assert result.as_json() == {**ABLATION, "schema_version": 1, "stopped": None, "png": None}
    assert result.comparisons[0].model == "both"
