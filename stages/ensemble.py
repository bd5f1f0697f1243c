"""The ensemble: the best kept trials vote; all models are compared, and the test split is read, once, here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.basic import basic_result, references
from stages.data import Gold, read_gold, read_original
from stages.further import further_result
from stages.models import Predictor, Readings
from stages.pseudo_label import sampled
from stages.results import SIMULATED, Row, row
from stages.settings import Combination
from stages.stage import do_stage, result_of
from stages.target import target_of
from stages.workspace import Run
from stages.yardstick import Yardstick
from storage import ledger, registry
from storage.registry import ModelRecord
from transfer.combine import COMBINATIONS, combine
from transfer.evaluate import bootstrap_interval, score
from transfer.problem import Problem
from transfer.splits import Original

STAGE = "ensemble"
STAGE_NAMES = {"basic": "stage one", "further": "stage two"}
Floats = NDArray[np.float32]
Predictions = Mapping[str, Mapping[str, Floats]]  # by model, then by split


@dataclass(frozen=True)
class _Data:
    original: Original
    gold: Gold | None
    splits: dict[str, list[str]]
    truth: dict[str, NDArray[np.int64]]
    yardstick: Yardstick


def run_ensemble(run: Run) -> dict[str, Any]:
    """Combines the best trials, decides what `final: auto` means, and reads the test split for all models together.

    The result has `members`, `validation` (figures by combination), `best_single`, `chosen`, `final`, `test`, `rows`.
    """
    winners = {"basic": basic_result(run)["winner"]["name"]}
    if _has_stage_two(run):
        winners["further"] = further_result(run)["winner"]["name"]
    records = [r for r in registry.models(run.engine, run.plan.name) if r.stage in winners]
    if not records:
        raise Problem("ensemble: no model is kept", f"search first: moodline search {run.plan.file.name}")
    data = _data(run, winners["basic"])
    parts = {
        "models": sorted(f"{record.name} {record.value!r} {record.lineage['fingerprint']}" for record in records),
        "winners": winners,
        "ensemble": run.plan.ensemble.model_dump(),
        "final": run.plan.final,
        "test (content)": data.original.test.fingerprint if data.original.test else None,
        "gold (content)": data.gold.report.fingerprint if data.gold else None,
    }
    simulation = run.plan.pseudo_label is not None and run.plan.pseudo_label.simulation
    return do_stage(run, STAGE, parts, {"simulation": simulation}, lambda: _compare(run, data, records, winners))


def final_predictor(run: Run, stage: str | None = None) -> Predictor:
    """The predictor that the plan's `final` names, or one stage's own: "basic", "further" or "ensemble"."""
    if stage in {"basic", "further"}:
        name = result_of(run, stage)["winner"]["name"]
        return Predictor(run, name, [name], "mean")
    result = result_of(run, STAGE)
    if stage == STAGE or result["final"]["kind"] == "ensemble":
        return Predictor(run, result["chosen"], result["members"], result["combine"])
    return Predictor(run, result["best_single"], [result["best_single"]], "mean")


def _compare(run: Run, data: _Data, records: Sequence[ModelRecord], winners: Mapping[str, str]) -> dict[str, Any]:
    readings = Readings(run, data.splits)
    chosen_on: list[str] = [split for split in ("validation", "target") if split in data.splits]
    seen = {record.name: {split: readings.of(record, split) for split in chosen_on} for record in records}
    values = {name: data.yardstick.value(probabilities) for name, probabilities in seen.items()}
    ranked = sorted(values, key=lambda name: (-values[name], name))
    members = ranked[: run.plan.ensemble.top]
    how: Combination = run.plan.ensemble.combine
    mixtures = {c: {s: combine([seen[m][s] for m in members], c) for s in chosen_on} for c in COMBINATIONS}
    kind = _final(run, values[ranked[0]], data.yardstick.value(mixtures[how]), len(members))
    by_name = {record.name: record for record in records}
    shown = {STAGE_NAMES[stage]: [name] for stage, name in winners.items()}
    shown |= {} if ranked[0] in winners.values() else {"best single": [ranked[0]]}
    rows = _rows(run, data, readings, by_name, shown | {f"ensemble ({how} of {len(members)})": members})
    labels = run.plan.labels
    return {
        "members": members,
        "values": {name: values[name] for name in ranked},
        "validation": {c: _figures(mixtures[c]["validation"], data.truth["validation"], labels) for c in COMBINATIONS},
        "target": {c: _figures(mixtures[c]["target"], data.truth["target"], labels) for c in COMBINATIONS}
        if "target" in data.splits
        else None,
        "best_single": ranked[0],
        "chosen": f"ensemble ({how} of {len(members)})",
        "combine": how,
        "final": {"kind": kind, "value": {"best": values[ranked[0]], "ensemble": data.yardstick.value(mixtures[how])}},
        "test": _test(rows),
        "test_readings": len(ledger.test_readings(run.engine, run.plan.name)),
        "rows": rows,
    }


def _final(run: Run, single: float, mixture: float, members: int) -> str:
    if run.plan.final != "auto":
        return run.plan.final
    return "ensemble" if members > 1 and mixture >= single else "best"


def _rows(
    run: Run,
    data: _Data,
    readings: Readings,
    records: Mapping[str, ModelRecord],
    shown: Mapping[str, Sequence[str]],
) -> list[Row]:
    """References, stages and ensemble on every split there is. The test split is read here, at once, and counted."""
    if "test" in data.splits:
        ledger.count_test_reading(run.engine, run.plan.name, STAGE, ",".join(sorted(records)))
    labels, how, rows = run.plan.labels, run.plan.ensemble.combine, []
    fitted = references(data.original, labels)
    for split in [split for split in ("validation", "gold report", "test") if split in data.splits]:
        for name, predict in fitted.items():
            rows.append(_judged(run, data, name, "reference", split, predict(data.splits[split])))
        for what, names in shown.items():
            mixed = combine([readings.of(records[name], split) for name in names], how)
            stage = records[names[0]].stage if len(names) == 1 else STAGE
            title = f"{what}: {names[0]}" if len(names) == 1 else what
            rows.append(_judged(run, data, title, stage, split, mixed))
    return rows


def _judged(run: Run, data: _Data, name: str, stage: str, split: str, probabilities: Floats) -> Row:
    truth, labels = data.truth[split], run.plan.labels
    _, low, high = bootstrap_interval("macro_f1", probabilities.argmax(axis=1), truth, len(labels), seed=run.plan.seed)
    settings = run.plan.pseudo_label
    is_simulated = stage in {"further", STAGE} and settings is not None and settings.simulation
    return row(name, stage, split, score(probabilities, truth, labels), (low, high), SIMULATED * is_simulated)


def _data(run: Run, winner: str) -> _Data:
    gold = read_gold(run)
    original = read_original(run.plan, {*gold.tune.keys, *gold.report.keys} if gold else ())
    splits, truth = {"validation": original.validation.texts}, {"validation": original.validation.labels}
    target = None
    if _has_stage_two(run):
        chosen, _ = target_of(gold, sampled(run, result_of(run, "pseudo_label"), gold))
        splits["target"], truth["target"], target = chosen.texts, chosen.truth, chosen.truth
    if gold:
        splits["gold report"], truth["gold report"] = gold.report.texts, gold.report.labels
    if original.test:
        splits["test"], truth["test"] = original.test.texts, original.test.labels
    record = registry.get(run.engine, run.plan.name, winner)
    floor = (record.metrics["macro_f1"] if record else 0.0) - run.plan.further.tolerance
    yardstick = Yardstick(tuple(run.plan.labels), original.validation.labels, target, floor, run.plan.search.metric)
    return _Data(original, gold, splits, truth, yardstick)


def _has_stage_two(run: Run) -> bool:
    record = ledger.read(run.engine, run.plan.name, "further")
    return run.plan.pseudo_label is not None and record is not None and record.state == "done"


def _figures(probabilities: Floats, truth: NDArray[np.int64], labels: Sequence[str]) -> dict[str, float]:
    scores = score(probabilities, truth, labels)
    return {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1}


def _test(rows: Sequence[Row]) -> dict[str, dict[str, float]] | None:
    found = {r["model"]: {"accuracy": r["accuracy"], "macro_f1": r["macro_f1"]} for r in rows if r["split"] == "test"}
    return found or None
