"""Tuning the plan's local LMs to label: trained once, kept in files, evaluated against the plain prompt.

The tuned one labels only where it gains.
"""

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.datasets.run_data import data_of
from stages.label.labeller_ensemble import LabellerEnsemble
from stages.label.labelling_loop import query_all
from stages.plan.schema import Plan
from stages.results.label_result import PossibleInterval, TuningResult, TuningScores
from stages.results.stage_result import Interval
from stages.runtime.run_context import ADAPTERS, Run
from stages.runtime.stage_execution import fingerprint
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.corpus.labelled import Labelled, select_rows
from transfer.errors import UserError
from transfer.labellers.labeller_settings import TuningSettings
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.paired_bootstrap import bootstrap_gain

FEWEST_GOLD = 50  # rows of gold's tune half that can show a gain, as calibration asks for
NOTES = "tuning.json"  # in the adapter's folder: transfer.labellers.local.peft_tuning.Tuned
DIVERGED = (
    "training gave losses that are not finite, so the plain prompt labels: lower learning_rate, or take dtype: float32"
)


@dataclass(frozen=True)
class Tuning:
    """What a tuning reads. train, held_out: of original train. evaluation: gold's tune half, or other rows of original
    train, as `evaluated_on` names it. name: of the adapter in files; it follows from all that the adapter depends on.
    """

    settings: TuningSettings
    train: Labelled
    held_out: Labelled
    evaluation: Labelled
    evaluated_on: str
    name: str


def tuning_of(run: Run, ensemble: LabellerEnsemble, gold: Gold | None) -> Tuning | None:
    """What the plan's tuning of a labeller reads; None where it has none.

    Gold trains nothing: it evaluates, from FEWEST_GOLD rows on. Raises UserError where there are too few rows.
    """
    settings, where = ensemble.settings.tuning, f"{ensemble.where}.tuning"
    if settings is None:
        return None
    original = data_of(run).original.train
    train, held_out, rest = _split(original, settings, run.plan.seed, where)
    inputs = {
        "labeller": ensemble.variants[0].identity,
        "tuning": settings.model_dump(mode="json", exclude={"judge"}),
        "rows (content)": [train.fingerprint, held_out.fingerprint],
        "seed": run.plan.seed,
    }
    name = f"{ADAPTERS}/{fingerprint(inputs)}"
    if settings.judge == "gold" and gold is None:
        raise UserError(f"{where}.judge: 'gold', and the plan has no gold", "say auto, or add gold")
    if gold and (settings.judge == "gold" or (settings.judge == "auto" and len(gold.tune) >= FEWEST_GOLD)):
        return Tuning(settings, train, held_out, gold.tune, "gold's tune half", name)
    return Tuning(settings, train, held_out, rest, "held-out original data", name)


def tuning_parts(tunings: Sequence[Tuning | None]) -> dict[str, object]:
    """Of the stage's fingerprint; nothing without tuning."""
    found = [[tuning.name, tuning.evaluation.fingerprint] if tuning else None for tuning in tunings]
    return {"tuning": found} if any(found) else {}


def tuned_or_plain(run: Run, plain: LabellerEnsemble, tuning: Tuning) -> tuple[LabellerEnsemble, TuningResult]:
    """The labeller that labels, and how its tuning went.

    Of several prompts the first is trained with, and all are evaluated and used together. The tuned labeller is used
    where the whole interval of its gain in macro-F1 lies above 0, on rows that neither trained it nor ended training.
    """
    notes = _trained(run, plain, tuning)
    result = TuningResult(
        labeller=plain.name,
        kind=tuning.settings.kind,
        adapter=tuning.name,
        judged_on=tuning.evaluated_on,
        n=len(tuning.evaluation),
        summary=DIVERGED,
        **notes,
    )
    labeller = plain
    if result.epoch:
        tuned = _adapted(run, plain, tuning)
        answers = [_answers(run, each, tuning.evaluation) for each in (plain, tuned)]
        result = _compared(run.plan, result, tuning.evaluation, answers)
        labeller = tuned if result.used else plain
    run.report.message(f"tuning: {result.labeller}: {result.summary}")
    return labeller, result


def _trained(run: Run, ensemble: LabellerEnsemble, tuning: Tuning) -> dict[str, Any]:
    """How training went: as it is recorded in the adapter's folder, or now."""
    if not run.files.exists(tuning.name):
        _train(run, ensemble, tuning)
    notes: dict[str, Any] = json.loads((run.files.fetch(tuning.name) / NOTES).read_text(encoding="utf-8"))
    return notes


def _train(run: Run, ensemble: LabellerEnsemble, tuning: Tuning) -> None:
    """A kill costs the training, which begins again with the same outcome: only a complete folder is published."""
    from transfer.labellers.local.peft_tuning import Rows, tune

    train, held_out = (Rows(rows.texts, rows.labels) for rows in (tuning.train, tuning.held_out))
    folder = run.scratch / f"adapter-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = tuning.settings
    with run.report.bar(f"tuning ({settings.kind})", settings.epochs * len(train.texts), "texts") as advance:
        notes = tune(_local(ensemble), settings, train, held_out, run.plan.seed, folder, run.report.message, advance)
    (folder / NOTES).write_text(json.dumps(notes.as_dict()), encoding="utf-8")
    run.files.publish(folder, tuning.name)
    shutil.rmtree(folder)


def _adapted(run: Run, ensemble: LabellerEnsemble, tuning: Tuning) -> LabellerEnsemble:
    first = _local(ensemble).adapted(run.files.fetch(tuning.name))
    return replace(ensemble, variants=(first, *(first.with_prompt(prompt) for prompt in ensemble.prompts[1:])))


def _answers(run: Run, ensemble: LabellerEnsemble, rows: Labelled) -> dict[str, LabelRow]:
    """Kept like all answers, so that nothing is asked twice. Then the weights make room for the next labeller's."""
    query_all(run, [ensemble], list(zip(rows.keys, rows.texts, strict=True)))
    for variant in ensemble.variants:
        variant.unload()  # type: ignore[attr-defined]
    return {row.key: row for row in labels_of(run.engine, ensemble.identity, rows.keys)}


def _compared(
    plan: Plan, result: TuningResult, rows: Labelled, answers: Sequence[Mapping[str, LabelRow]]
) -> TuningResult:
    """With the scores of the plain and the tuned one's answers to the same rows, weighted where the rows are."""
    plain, tuned = (np.array([given[key].label for key in rows.keys], dtype=np.int64) for given in answers)
    gain = _scores(plan, rows, (plain, tuned))
    scores = {"plain": _scores(plan, rows, plain), "tuned": _scores(plan, rows, tuned), "gain": gain}
    compared = result.model_copy(update={**scores, "used": gain.macro_f1.low > 0})
    return compared.model_copy(update={"summary": _summary(compared)})


def _scores(
    plan: Plan, rows: Labelled, labels: NDArray[np.int64] | tuple[NDArray[np.int64], NDArray[np.int64]]
) -> TuningScores:
    """Of labels (N,), or what the second of two gains over the first."""

    def interval(statistic: Literal["macro_f1", "kappa"]) -> tuple[float, float, float]:
        k, seed, weights = len(plan.labels), plan.seed, rows.weights
        if isinstance(labels, tuple):
            return bootstrap_gain(statistic, labels, rows.labels, k, seed=seed, weights=weights)
        return bootstrap_interval(statistic, labels, rows.labels, k, seed=seed, weights=weights)

    value, low, high = interval("macro_f1")
    kappa = (x if math.isfinite(x) else None for x in interval("kappa"))
    return TuningScores(
        macro_f1=Interval(value=value, low=low, high=high),
        kappa=PossibleInterval(**dict(zip(("value", "low", "high"), kappa, strict=True))),
    )


def _split(rows: Labelled, settings: TuningSettings, seed: int, where: str) -> tuple[Labelled, Labelled, Labelled]:
    """Rows to train on, to end training by, and to evaluate on, as many of each label as there are.

    A label that has too few rows for all three gives to each in proportion. Raises UserError where one would be empty.
    """
    rng, k = np.random.default_rng(seed), int(rows.labels.max(initial=-1)) + 1
    sizes = np.array([settings.sample, settings.held_out, settings.held_out])
    parts: list[list[int]] = [[], [], []]
    for label in range(k):
        own = rng.permutation(np.flatnonzero(rows.labels == label))[: math.ceil(sizes.sum() / k)]
        ends = np.round(len(own) * sizes.cumsum() / sizes.sum()).astype(int)
        for part, taken in zip(parts, np.split(own, ends[:-1]), strict=True):
            part.extend(taken.tolist())
    if not all(parts):
        raise UserError(f"{where}: {len(rows)} rows of original train are too few to tune with")
    first, second, third = (select_rows(rows, np.isin(np.arange(len(rows)), part), {}) for part in parts)
    return first, second, third


def _local(ensemble: LabellerEnsemble) -> Any:
    """The labeller that is trained; the plan's check lets none but local ones come here."""
    return ensemble.variants[0]


def _summary(result: TuningResult) -> str:
    assert result.plain is not None
    assert result.tuned is not None
    assert result.gain is not None
    plain, tuned, gain = (scores.macro_f1 for scores in (result.plain, result.tuned, result.gain))
    verdict = f"{'it loses' if gain.high < 0 else 'no gain is shown'}, so the plain prompt labels"
    return (
        f"macro-F1 on {result.n} rows ({result.judged_on}) {plain.value:.3f} plain, {tuned.value:.3f} with "
        f"{result.kind}: {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}); "
        f"{'it gains, so it labels' if result.used else verdict}"
    )
