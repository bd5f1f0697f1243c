"""Tuning the plan's local LMs to label: learnt once, kept in files, judged beside the plain prompt.

The tuned one labels only where it gains.
"""

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold, read_original
from stages.label.labeller_ensemble import LabellerEnsemble
from stages.label.labelling_loop import ask_all
from stages.plan.schema import Plan
from stages.runtime.run_context import ADAPTERS, Run
from stages.runtime.stage_execution import fingerprint
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.corpus.labelled import Labelled, select_rows
from transfer.errors import UserError
from transfer.labellers.labeller_settings import TuningSettings
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.paired_bootstrap import bootstrap_gain

FEWEST_GOLD = 50  # rows of gold's tune half that can tell a gain from chance, as calibration asks for
NOTES = "tuning.json"
DIVERGED = (
    "training gave losses that are no numbers, so the plain prompt labels: lower learning_rate, or take dtype: float32"
)


@dataclass(frozen=True)
class Tuning:
    """What a tuning reads. learn, held_out: of original train. judged: gold's tune half, or other rows of original
    train, as `judged_on` says. name: of the adapter in files; it follows from all that the adapter depends on.
    """

    settings: TuningSettings
    learn: Labelled
    held_out: Labelled
    judged: Labelled
    judged_on: str
    name: str


def tuning_of(run: Run, panel: LabellerEnsemble, gold: Gold | None) -> Tuning | None:
    """What the plan's tuning of a labeller reads; None where it has none.

    Gold trains nothing: it judges, from FEWEST_GOLD rows on. Raises UserError where the rows do not do.
    """
    settings, where = panel.settings.tuning, f"{panel.where}.tuning"
    if settings is None:
        return None
    train = read_original(run.plan, {*gold.tune.keys, *gold.report.keys} if gold else ()).train
    learn, held_out, rest = _deal(train, settings, run.plan.seed, where)
    facts = {
        "labeller": panel.ways[0].identity,
        "tuning": settings.model_dump(mode="json", exclude={"judge"}),
        "rows (content)": [learn.fingerprint, held_out.fingerprint],
        "seed": run.plan.seed,
    }
    judge = gold.tune if gold and _judges_gold(settings, gold) else None
    if judge is None and settings.judge == "gold":
        raise UserError(f"{where}.judge: 'gold', and the plan has no gold", "say auto, or add gold")
    judged_on = "held-out original data" if judge is None else "gold's tune half"
    return Tuning(settings, learn, held_out, judge or rest, judged_on, f"{ADAPTERS}/{fingerprint(facts)}")


def tuning_parts(tunings: Sequence[Tuning | None]) -> dict[str, Any]:
    """Of the stage's fingerprint; nothing without tuning."""
    found = [[tuning.name, tuning.judged.fingerprint] if tuning else None for tuning in tunings]
    return {"tuning": found} if any(found) else {}


def tuned(run: Run, panel: LabellerEnsemble, tuning: Tuning) -> tuple[LabellerEnsemble, dict[str, Any]]:
    """The labeller that labels, tuned or plain, and what was found.

    That is `labeller` (its name), `kind`, `used`, `summary` in words, `judged_on`, `n`, `plain` and `tuned` (macro_f1
    and kappa, each with value, low and high), `gain` (the same of the paired difference), `adapter` (its name in
    files), and how the tuning went; see transfer.labellers.peft_tuning.Tuned. Of several prompts the first is learnt
    with, and all are judged and used together. The tuned one is used where the whole interval of its gain in macro-F1
    lies above 0. The rows that say so have neither trained it nor ended its training.
    """
    went = _learn(run, panel, tuning)
    found = {"labeller": panel.name, "kind": tuning.settings.kind, "adapter": tuning.name, **went}
    found |= {"judged_on": tuning.judged_on, "n": len(tuning.judged)}
    found |= {"used": False, "plain": None, "tuned": None, "gain": None}
    if not went["epoch"]:
        return panel, _said(run, found | {"summary": DIVERGED})
    other = _adapted(run, panel, tuning)
    found |= _judge(run.plan, tuning.judged, [_answers(run, each, tuning.judged) for each in (panel, other)])
    found["used"] = bool((found["gain"]["macro_f1"]["low"] or 0.0) > 0)
    found["summary"] = _summary(found)
    return (other if found["used"] else panel), _said(run, found)


def _said(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    run.report.message(f"tuning: {found['labeller']}: {found['summary']}")
    return found


def _learn(run: Run, panel: LabellerEnsemble, tuning: Tuning) -> dict[str, Any]:
    """How the tuning went: as it is recorded beside its adapter, or now."""
    if not run.files.exists(tuning.name):
        _train(run, panel, tuning)
    notes: dict[str, Any] = json.loads((run.files.fetch(tuning.name) / NOTES).read_text(encoding="utf-8"))
    return notes


def _train(run: Run, panel: LabellerEnsemble, tuning: Tuning) -> None:
    """A kill costs the training, which begins again and comes to the same: what is published is whole."""
    from transfer.labellers.peft_tuning import Rows, tune

    learn, held_out = (Rows(rows.texts, rows.labels) for rows in (tuning.learn, tuning.held_out))
    folder = run.scratch / f"adapter-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = tuning.settings
    with run.report.bar(f"tuning ({settings.kind})", settings.epochs * len(learn.texts), "texts") as advance:
        went = tune(_local(panel), settings, learn, held_out, run.plan.seed, folder, run.report.message, advance)
    (folder / NOTES).write_text(json.dumps(went.as_dict()), encoding="utf-8")
    run.files.publish(folder, tuning.name)
    shutil.rmtree(folder)


def _adapted(run: Run, panel: LabellerEnsemble, tuning: Tuning) -> LabellerEnsemble:
    first = _local(panel).adapted(run.files.fetch(tuning.name))
    return replace(panel, ways=(first, *(first.with_prompt(prompt) for prompt in panel.prompts[1:])))


def _answers(run: Run, panel: LabellerEnsemble, rows: Labelled) -> dict[str, LabelRow]:
    """Kept like all answers, so that nothing is asked twice. Then the weights make room for the other's."""
    ask_all(run, [panel], list(zip(rows.keys, rows.texts, strict=True)))
    for way in panel.ways:
        way.unload()  # type: ignore[attr-defined]
    return {row.key: row for row in labels_of(run.engine, panel.identity, rows.keys)}


def _judge(plan: Plan, rows: Labelled, answers: Sequence[Mapping[str, LabelRow]]) -> dict[str, Any]:
    """Figures of the plain and the tuned one's answers to the same rows, weighted where the rows are."""
    k, seed = len(plan.labels), plan.seed
    plain, better = (_labels(rows, given) for given in answers)
    told: dict[str, Any] = {"plain": {}, "tuned": {}, "gain": {}}
    for statistic in ("macro_f1", "kappa"):
        single = [
            bootstrap_interval(statistic, said, rows.labels, k, seed=seed, weights=rows.weights)
            for said in (plain, better)
        ]
        both = bootstrap_gain(statistic, (plain, better), rows.labels, k, seed=seed, weights=rows.weights)
        for name, interval in zip(told, [*single, both], strict=True):
            told[name][statistic] = dict(zip(("value", "low", "high"), map(_number, interval), strict=True))
    return told


def _labels(rows: Labelled, answers: Mapping[str, LabelRow]) -> NDArray[np.int64]:
    return np.array([answers[key].label for key in rows.keys], dtype=np.int64)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _deal(train: Labelled, settings: TuningSettings, seed: int, where: str) -> tuple[Labelled, Labelled, Labelled]:
    """Rows to learn from, to end the learning, and to judge it, as many of each label as there are.

    A label that has too few rows for all three gives to each its part. Raises UserError where one would be empty.
    """
    rng, k = np.random.default_rng(seed), int(train.labels.max(initial=-1)) + 1
    sizes = np.array([settings.sample, settings.held_out, settings.held_out])
    parts: list[list[int]] = [[], [], []]
    for label in range(k):
        rows = rng.permutation(np.flatnonzero(train.labels == label))[: math.ceil(sizes.sum() / k)]
        ends = np.round(len(rows) * sizes.cumsum() / sizes.sum()).astype(int)
        for part, taken in zip(parts, np.split(rows, ends[:-1]), strict=True):
            part.extend(taken.tolist())
    if not all(parts):
        raise UserError(f"{where}: {len(train)} rows of original train are too few to tune with")
    first, second, third = (select_rows(train, np.isin(np.arange(len(train)), part), {}) for part in parts)
    return first, second, third


def _judges_gold(settings: TuningSettings, gold: Gold) -> bool:
    return settings.judge == "gold" or (settings.judge == "auto" and len(gold.tune) >= FEWEST_GOLD)


def _local(panel: LabellerEnsemble) -> Any:
    """The labeller that learns; the plan's check lets none but local ones come here."""
    return panel.ways[0]


def _summary(found: Mapping[str, Any]) -> str:
    plain, better, gain = (found[name]["macro_f1"] for name in ("plain", "tuned", "gain"))
    loses = gain["high"] is not None and gain["high"] < 0
    refused = f"{'it loses' if loses else 'no gain is shown'}, so the plain prompt labels"
    return (
        f"macro-F1 on {found['n']} rows ({found['judged_on']}) {plain['value']:.3f} plain, {better['value']:.3f} with "
        f"{found['kind']}: {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}); "
        f"{'it gains, so it labels' if found['used'] else refused}"
    )
