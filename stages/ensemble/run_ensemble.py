"""The ensemble: the best kept trials vote; all models are compared, and the test split is read, once, here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold, read_gold, read_original
from stages.ensemble.combination_selection import Bench, Combined, chosen_of, compare
from stages.further.run_further import further_result
from stages.further.selection_split import target_of
from stages.label.run_label import Sampled, sampled
from stages.plan.plan_settings import EnsembleSettings
from stages.reports.report_figures import draw_gallery
from stages.runtime.predictor import PredictionCache, Predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, result_of
from stages.search.run_search import references, search_result
from stages.study_runs.selection_metric import SelectionMetric
from stages.study_runs.table_rows import SIMULATED, Row, row
from storage.records import model_registry, stage_records
from storage.records.model_registry import ModelRecord
from studies.lasting_names import lasting_model_name
from transfer.corpus.splits import Original
from transfer.ensembling.combination import MEAN, Mixture, mixture_from
from transfer.ensembling.diversity import diversity
from transfer.errors import UserError
from transfer.metrics.bootstrap import is_better, paired_difference
from transfer.metrics.evaluation_report import judgement
from transfer.metrics.scores import score

STAGE = "ensemble"
STAGE_NAMES = {"search": "stage one", "further": "stage two"}
REPORTED = ("validation", "gold report", "test")  # in the order of all tables
CHOOSING: tuple[str, ...] = ("validation", "target")
HELD_BACK = ("gold report", "test")  # what nothing was chosen by
Floats = NDArray[np.float32]
Shown = Mapping[str, tuple[Sequence[str], Mixture]]  # what tables show: members and mixture by name
Said = Mapping[str, Mapping[str, Floats]]  # probabilities by name and split


@dataclass(frozen=True)
class Splits:
    """All that models are judged on. texts, truth: by split. contents: fingerprints of what trials were judged on."""

    original: Original
    gold: Gold | None
    texts: dict[str, list[str]]
    truth: dict[str, NDArray[np.int64]]
    contents: dict[str, str]
    pseudo: Sampled | None
    yardstick: SelectionMetric


def run_ensemble(run: Run) -> dict[str, Any]:
    """Combines the best trials, decides what `final: auto` means, and reads the test split for all models together.

    The result has `members` and `mixture` of what the plan names, `combinations` (the table of all), `validation` and
    `target` (figures by combination), `best_single`, `chosen`, `alone` (the model that it came down to, None where
    there are several), `final`, `diversity`, `test`, `gain` (of the ensemble over the best single, by split that chose
    nothing), `gain_on_validation` (the same where both were chosen), `judged` (all figures of what is final, by split),
    `rows` and `models_page`.
    """
    winners = {"search": search_result(run)["winner"]["name"]}
    if has_stage_two(run):
        winners["further"] = further_result(run)["winner"]["name"]
    records = [r for r in model_registry.models(run.engine, run.plan.name) if r.stage in winners]
    if not records:
        raise UserError("ensemble: no model is kept", f"search first: moodline search {run.plan.file.name}")
    data = judged_splits(run, winners["search"])
    parts = {
        "models": sorted(f"{record.name} {record.value!r} {record.lineage['fingerprint']}" for record in records),
        "winners": winners,
        "ensemble": _settings(run.plan.ensemble),
        "final": run.plan.final,
        "test (content)": data.original.test.fingerprint if data.original.test else None,
        "gold (content)": data.gold.report.fingerprint if data.gold else None,
    }
    simulation = run.plan.pseudo_label is not None and run.plan.pseudo_label.simulation
    result = do_stage(run, STAGE, parts, {"simulation": simulation}, lambda: _compare(run, data, records, winners))
    return result | {"models_page": draw_gallery(run, result, _drawn(data))}


def _drawn(data: Splits) -> dict[str, tuple[Sequence[str], NDArray[np.int64]]]:
    """The data that pictures show; last that whose words are drawn: the comments where they were labelled."""
    original, gold = data.original, data.gold
    rows = {"train": original.train, "validation": original.validation, "test": original.test}
    rows = {"gold": gold.tune, "gold report": gold.report, **rows} if gold else {**rows}
    shown = {name: _pair(own.texts, own.labels) for name, own in rows.items() if own}
    shown["train"] = shown.pop("train")
    return shown | ({"pseudo-labels": _pair(data.pseudo.texts, data.pseudo.label)} if data.pseudo else {})


def _pair(texts: Sequence[str], labels: NDArray[np.int64]) -> tuple[Sequence[str], NDArray[np.int64]]:
    return texts, labels


def _settings(settings: EnsembleSettings) -> dict[str, Any]:
    """Members are calibrated only where the plan says so: a run without it stays what it is."""
    return settings.model_dump(exclude={"calibrate"} if settings.calibrate == "none" else None)


def final_predictor(run: Run, stage: str | None = None, model: str | None = None) -> Predictor:
    """The predictor that the plan's `final` names; or one stage's own, "search", "further", "ensemble" or "distil";
    or a kept model by its name."""
    if model is not None:
        return Predictor(run, model, [model])
    if stage in {"search", "further", "distil"}:
        name = result_of(run, stage)["winner"]["name"]
        return Predictor(run, name, [name])
    result = result_of(run, STAGE)
    kind = STAGE if stage == STAGE else _final_kind(run, result)
    if kind == "distilled":
        return final_predictor(run, "distil")
    if kind == STAGE:
        return Predictor(run, result["chosen"], result["members"], ensemble_mixture(result))
    return Predictor(run, result["best_single"], [result["best_single"]])


def ensemble_mixture(result: Mapping[str, Any]) -> Mixture:
    """How the members of an ensemble's result are combined: one alone not at all, unless it was calibrated."""
    found = mixture_from(result.get("mixture", result["combine"]))
    return MEAN if result.get("alone") and not found.temperatures else found


def _final_kind(run: Run, result: Mapping[str, Any]) -> str:
    """As the ensemble decided; with `auto` the distilled model where it is at least as good on validation."""
    kind: str = result["final"]["kind"]
    if run.plan.final != "auto" or run.plan.distil is None:
        return kind
    value: float = result_of(run, "distil")["winner"]["value"]
    return "distilled" if value >= result["final"]["value"][kind] else kind


def _compare(run: Run, data: Splits, records: Sequence[ModelRecord], winners: Mapping[str, str]) -> dict[str, Any]:
    readings = PredictionCache(run, data.texts, data.contents)
    bench = _bench(data, readings, records)
    values = {name: data.yardstick.value(bench.seen[name]) for name in bench.names}
    best = bench.names[0]
    interval = data.yardstick.interval(bench.seen[best])
    table = compare(bench, run.plan.ensemble, run.plan.seed)
    chosen = chosen_of(table, run.plan.ensemble)
    kind = _final(run, values[best], chosen)
    title = _title(chosen)
    shown = {STAGE_NAMES[stage]: ([name], MEAN) for stage, name in winners.items()}
    shown |= {} if best in winners.values() else {"best single": ([best], MEAN)}
    shown[title] = (chosen.members, chosen.mixture)
    said = _said(run, data, readings, {record.name: record for record in records}, shown | {"single": ([best], MEAN)})
    rows = _rows(run, data, shown, said)
    final = title if kind == STAGE else "single"
    gains: dict[str, dict[str, Any]] = {
        split: dict(paired_difference(found, said["single"][split], data.truth[split], seed=run.plan.seed))
        for split, found in said[title].items()
    }
    return {
        "members": chosen.members,
        "mixture": chosen.mixture.as_dict(),
        "values": values,
        "combinations": [_line(line) for line in table],
        "validation": {line.name: line.figures["validation"] for line in table},
        "target": {line.name: line.figures["target"] for line in table} if "target" in data.truth else None,
        "best_single": best,
        "chosen": title,
        "alone": chosen.alone,
        "combine": chosen.mixture.how,
        "diversity": diversity([bench.seen[m]["validation"] for m in chosen.members], data.truth["validation"]),
        "final": {
            "kind": kind,
            "value": {"best": values[best], "ensemble": chosen.value},
            "intervals": {"best": interval, "ensemble": chosen.interval},
        },
        "test": _test(rows),
        "gain": {
            split: gains[split] | {"better": is_better(gains[split]["macro_f1"])}
            for split in HELD_BACK
            if split in gains
        },
        "gain_on_validation": gains["validation"],
        "judged": {
            split: judgement(p, data.truth[split], run.plan.labels, seed=run.plan.seed)
            for split, p in said[final].items()
        },
        "test_readings": len(stage_records.test_readings(run.engine, run.plan.name)),
        "rows": rows,
    }


def _title(chosen: Combined) -> str:
    """What tables call it. One model is not made to look like several."""
    if chosen.alone:
        return f"{STAGE} of one ({chosen.name}): {chosen.alone}"
    return f"{STAGE} ({chosen.name} of {len(chosen.members)})"


def _bench(data: Splits, readings: PredictionCache, records: Sequence[ModelRecord]) -> Bench:
    """The kept models on what chooses, ranked."""
    truth = {split: data.truth[split] for split in CHOOSING if split in data.truth}
    seen = {record.name: {split: readings.of(record, split) for split in truth} for record in records}
    values = {name: data.yardstick.value(probabilities) for name, probabilities in seen.items()}
    ranked = sorted(values, key=lambda name: (-values[name], lasting_model_name(name)))
    return Bench(ranked, seen, truth, data.yardstick)


def _line(line: Combined) -> dict[str, Any]:
    told = {"combination": line.name, "members": len(line.members), "value": line.value, "interval": line.interval}
    told |= {"fitted": line.fitted}
    return told | {"weights": dict(zip(line.members, line.mixture.weights, strict=False)), "figures": line.figures}


def _final(run: Run, single: float, chosen: Combined) -> str:
    if run.plan.final not in {"auto", "distilled"}:
        return run.plan.final
    if run.plan.final == "distilled" and run.plan.distil is not None:
        return "distilled"
    return STAGE if len(chosen.members) > 1 and chosen.value >= single else "best"


def _said(
    run: Run, data: Splits, readings: PredictionCache, records: Mapping[str, ModelRecord], shown: Shown
) -> dict[str, dict[str, Floats]]:
    """Probabilities of what is shown, by name and split. The test split is read here, at once, and counted."""
    if "test" in data.texts:
        stage_records.count_test_reading(run.engine, run.plan.name, STAGE, ",".join(sorted(records)))
    return {
        name: {
            split: mixture.apply([readings.of(records[member], split) for member in members])
            for split in REPORTED
            if split in data.texts
        }
        for name, (members, mixture) in shown.items()
    }


def _rows(run: Run, data: Splits, shown: Shown, said: Said) -> list[Row]:
    """References, stages and ensemble on every split there is."""
    fitted, rows = references(data.original, run.plan.labels), list[Row]()
    for split in [split for split in REPORTED if split in data.texts]:
        for name, predict in fitted.items():
            rows.append(judged_row(run, name, "reference", split, predict(data.texts[split]), data.truth[split]))
        for what, (members, _) in shown.items():
            is_one = len(members) == 1 and not what.startswith(STAGE)
            stage = members[0].partition("/")[0] if is_one else STAGE
            title = f"{what}: {members[0]}" if is_one else what
            rows.append(judged_row(run, title, stage, split, said[what][split], data.truth[split]))
    return rows


def judged_row(run: Run, name: str, stage: str, split: str, probabilities: Floats, truth: NDArray[np.int64]) -> Row:
    """One model on one split."""
    settings = run.plan.pseudo_label
    is_simulated = stage in {"further", STAGE, "distil"} and settings is not None and settings.simulation
    return row(name, stage, split, score(probabilities, truth, run.plan.labels), SIMULATED * is_simulated)


def judged_splits(run: Run, winner: str) -> Splits:
    """What models are chosen by and reported on; winner: of stage one, from whose macro-F1 losses are counted."""
    gold = read_gold(run)
    original = read_original(run.plan, {*gold.tune.keys, *gold.report.keys} if gold else ())
    texts, truth = {"validation": original.validation.texts}, {"validation": original.validation.labels}
    contents = {"validation": original.validation.fingerprint}
    target, pseudo = None, None
    if has_stage_two(run):
        pseudo = sampled(run, result_of(run, "label"), gold)
        chosen, _ = target_of(gold, pseudo)
        texts["target"], truth["target"], target = chosen.texts, chosen.truth, chosen.truth
        contents |= {"target": gold.tune.fingerprint} if gold else {}
    if gold:
        texts["gold report"], truth["gold report"] = gold.report.texts, gold.report.labels
    if original.test:
        texts["test"], truth["test"] = original.test.texts, original.test.labels
    record = model_registry.get(run.engine, run.plan.name, winner)
    floor = (record.metrics["macro_f1"] if record else 0.0) - run.plan.further.tolerance
    yardstick = SelectionMetric(
        tuple(run.plan.labels), original.validation.labels, target, floor, run.plan.search.metric
    )
    return Splits(original, gold, texts, truth, contents, pseudo, yardstick)


def has_stage_two(run: Run) -> bool:
    """Whether stage two is done, and the plan still has one."""
    record = stage_records.read(run.engine, run.plan.name, "further")
    return run.plan.pseudo_label is not None and record is not None and record.state == "done"


def _test(rows: Sequence[Row]) -> dict[str, dict[str, Any]] | None:
    told = ("accuracy", "macro_f1", "intervals")
    return {r["model"]: {name: r[name] for name in told} for r in rows if r["split"] == "test"} or None
