"""A result of labelling as 0.1.0 stored it."""

from typing import Any

IDENTITY = "ccc458788ac8d5144dd490a027a12fb44687b7985e08b36198b49b07b54859ff"


LOCAL = "12fe62d23145ea8db451a1d06bbb4914f19490235938a5ae1b09c27457fc21cc"


TEACHER = "509e61c8bdfcecc86e00f3716699996646acc8231dd849b96a04776f45ee2044"


ZERO = {"value": 0.0, "low": 0.0, "high": 7.619177619976563e-17}


KAPPA = {"value": 0.9784017278617712, "low": 0.9336419191379851, "high": 1.0}


PLAIN = {"macro_f1": {"value": 0.154, "low": 0.111, "high": 0.195}, "kappa": ZERO}


NO_GAIN = {"macro_f1": {"value": 0.0, "low": 0.0, "high": 0.0}, "kappa": dict.fromkeys(("value", "low", "high"))}


# As 0.1.0 stored it, but for the strata and most bins.
STORED: dict[str, Any] = {
    "labelled": 80,
    "missing": 0,
    "labeller": {
        "kind": "mean",
        "model": "models/lm + teacher: ensemble (mean of 3)",
        "members": [LOCAL, TEACHER],
        "labels": ["anger", "joy", "sadness"],
    },
    "identity": IDENTITY,
    "tuning": [
        {
            "labeller": "models/lm",
            "kind": "prompt",
            "adapter": "adapters/fe2b485d21a85ee271c59a600ce2afcf",
            "plain_loss": 4.864444734566621,
            "losses": [4.921773274739583, None],
            "epoch": 1,
            "learnt_from": 24,
            "held_out": 12,
            "judged_on": "gold's tune half",
            "n": 70,
            "used": False,
            "plain": PLAIN,
            "tuned": PLAIN,
            "gain": NO_GAIN,
            "summary": "macro-F1 on 70 rows (gold's tune half) 0.154 plain, 0.154 with prompt",
        }
    ],
    "drawn": {
        "choose": "mixed",
        "languages": None,
        "by": {"stratified": 40, "uncertain": 40},
        "strata": {"2024-03-01 .. 2024-03-31 | video 0": 80},
        "left_out": {},
    },
    "tokens": 83280,
    "asked": 370,
    "estimate": [{"labeller": "small-lm", "questions": 9, "tokens": 99, "written": 9, "money": None, "currency": None}],
    "usage": [
        {
            "labeller": "models/lm",
            "answers": 220,
            "tokens": 83280,
            "written": 0,
            "uncounted": 0,
            "seconds": 0.47375499999999937,
            "money": None,
            "currency": None,
        }
    ],
    "simulation": False,
    "shares": {"anger": 1.0, "joy": 0.0, "sadness": 0.0},
    "accuracy": 0.9857142857142858,
    "macro_f1": 0.9861874559548979,
    "intervals": {
        "accuracy": {"value": 0.9857142857142858, "low": 0.9571428571428572, "high": 1.0},
        "macro_f1": {"value": 0.9861874559548979, "low": 0.9563360227812056, "high": 1.0},
    },
    "kappa": KAPPA,
    "gold_n": 70,
    "gold_is_weighted": False,
    "per_class": {
        "anger": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "accuracy": 1.0, "support": 21},
        "joy": {"precision": 0.9643, "recall": 1.0, "f1": 0.9818, "accuracy": 0.9857, "support": 27},
        "sadness": {"precision": 1.0, "recall": 0.9545, "f1": 0.9767, "accuracy": 0.9857, "support": 22},
    },
    "confusion": [[21, 0, 0], [0, 27, 0], [0, 1, 21]],
    "reliability": {
        "n": 70,
        "ece": 0.1302039618933858,
        "log_loss": 0.15785799552134672,
        "bins": [
            {"low": 0.0, "high": 0.1, "n": 0, "confidence": None, "accuracy": None},
            {"low": 0.4, "high": 0.5, "n": 1, "confidence": 0.41654099963488744, "accuracy": 0.0},
        ],
    },
    "unknown_confidence": 0,
    "calibration": {"kind": "bias", "temperature": 0.323417, "bias": [-2.37856, 0.556029, 1.822531]},
    "calibrated": {
        "before": {"kappa": ZERO, "log_loss": 0.772122846739724, "ece": 0.41013780426427565},
        "after": {"kappa": KAPPA, "log_loss": 0.15785799552134672, "ece": 0.1302039618933858},
    },
    "labellers": [
        {
            "labeller": "teacher: ensemble (mean of 3)",
            "identity": TEACHER,
            "labelled": 220,
            "missing": 0,
            "accuracy": 0.9428571428571428,
            "macro_f1": 0.9436781609195402,
            "kappa": KAPPA,
            "log_loss": 0.34168711807996044,
            "ece": 0.20642238773195973,
            "gold_n": 70,
        }
    ],
    "between": {
        "pairs": [{"labellers": ["models/lm", "teacher"], "n": 220, "same": 0.2772727272727273, "kappa": ZERO}],
        "alpha": -0.3722256079580082,
    },
    "extent": {"simulation": False, "sample": 80, "gold": 140, "min_kappa": None},
    "fingerprint": "b0c4da1ef80506cd5c62d34f319263c0",
}
