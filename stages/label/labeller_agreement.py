"""How far labellers, and the prompts of one, agree with one another; and each with people."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.label.gold_evaluation import raw_figures
from stages.label.labeller_ensemble import Facts
from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.krippendorff_alpha import krippendorff_alpha

NONE = -1  # no label, as krippendorff_alpha has it


def compared(run: Run, facts: Sequence[Facts], wanted: Sequence[tuple[str, str]], gold: Gold | None) -> dict[str, Any]:
    """`labellers`: each one's name, identity, `labelled` and `missing` of all comments asked about, gold's among them,
    and its figures against gold's report half, uncalibrated; with several prompts also `prompts`, the same of each, and
    `agreement`: `mean` share of them with the label that came out, share of `unanimous` comments, and `alpha`.
    `between`: how the labellers agree, see agreed; null for one.
    """
    keys = [key for key, _ in wanted]
    whole = [_answers(run, labeller.identity, keys) for labeller in facts]
    told = [_told(run, labeller, answers, keys, gold) for labeller, answers in zip(facts, whole, strict=True)]
    between = agreed(run.plan, [labeller.name for labeller in facts], whole, keys) if len(facts) > 1 else None
    return {"labellers": told, "between": between}


def agreed(plan: Plan, names: Sequence[str], whole: Sequence[Mapping[str, LabelRow]], keys: Sequence[str]) -> Any:
    """`pairs`: for each two their `labellers`, `n` comments that both labelled, `same` (share alike) and `kappa`
    (value, low, high, null where undefined). `alpha`: Krippendorff's, of all; null where undefined."""
    said = _said(whole, keys)
    every = combinations(range(len(names)), 2)
    pairs = [{"labellers": [names[i], names[j]], **_pair(plan, said[i], said[j])} for i, j in every]
    return {"pairs": pairs, "alpha": _alpha(plan, said)}


def _told(run: Run, labeller: Facts, answers: Mapping[str, LabelRow], keys: Sequence[str], gold: Gold | None) -> Any:
    told = {"labeller": labeller.name, "identity": labeller.identity, **_figures(run.plan, answers, keys, gold)}
    if len(labeller.ways) < 2:
        return told
    ways = [_answers(run, identity, keys) for identity, _ in labeller.ways]
    prompts = [
        {
            "identity": identity,
            "instruction": prompt.instruction,
            "order": list(prompt.order or run.plan.labels),
            **_figures(run.plan, way, keys, gold),
        }
        for (identity, prompt), way in zip(labeller.ways, ways, strict=True)
    ]
    agreements = [row.agreement for row in answers.values() if row.agreement is not None]
    agreement = {
        "mean": float(np.mean(agreements)) if agreements else None,
        "unanimous": float(np.mean(np.array(agreements) == 1)) if agreements else None,
        "alpha": _alpha(run.plan, _said(ways, keys)),
    }
    return {**told, "prompts": prompts, "agreement": agreement}


def _figures(plan: Plan, answers: Mapping[str, LabelRow], keys: Sequence[str], gold: Gold | None) -> dict[str, Any]:
    labelled = sum(row.label is not None for row in answers.values())
    return {"labelled": labelled, "missing": len(set(keys)) - labelled, **raw_figures(plan, answers, gold)}


def _pair(plan: Plan, one: NDArray[np.int64], other: NDArray[np.int64]) -> dict[str, Any]:
    both = (one != NONE) & (other != NONE)
    a, b = one[both], other[both]
    if not len(a):
        return {"n": 0, "same": None, "kappa": None}
    kappa = bootstrap_interval("kappa", a, b, len(plan.labels), seed=plan.seed)
    return {
        "n": len(a),
        "same": float(np.mean(a == b)),
        "kappa": None if math.isnan(kappa[0]) else dict(zip(("value", "low", "high"), kappa, strict=True)),
    }


def _said(whole: Sequence[Mapping[str, LabelRow]], keys: Sequence[str]) -> NDArray[np.int64]:
    """(R, N) labels of R labellers for N comments, NONE where one gave none."""
    return np.array([[_label(answers.get(key)) for key in keys] for answers in whole], dtype=np.int64)


def _alpha(plan: Plan, said: NDArray[np.int64]) -> float | None:
    alpha = krippendorff_alpha(said, len(plan.labels))
    return None if math.isnan(alpha) else alpha


def _answers(run: Run, identity: str, keys: Sequence[str]) -> dict[str, LabelRow]:
    return {row.key: row for row in labels_of(run.engine, identity, keys)}


def _label(row: LabelRow | None) -> int:
    return NONE if row is None or row.label is None else row.label
