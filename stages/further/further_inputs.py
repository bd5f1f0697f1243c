"""What stage two begins with: the winner, the data, the pseudo-labels, and the weights that a trial may start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Sampled, sampled
from stages.datasets.run_data import data_of
from stages.results.adapt_result import AdaptResult
from stages.results.label_result import LabelResult
from stages.results.study_results import SearchResult, Winner
from stages.runtime.adapted_encoders import adapts
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result
from stages.study_runs.selection_split import SelectionSplit, selection_split
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.legacy_names import legacy_model_name
from studies.space.dimensions import most, plain_space
from transfer.corpus.splits import Original
from transfer.errors import UserError
from transfer.metrics.scores import DIRECTIONS

FEWEST_PSEUDO_LABELS = 20


@dataclass(frozen=True)
class FurtherInputs:
    """winner: of stage one. starts: stage one's kept trials that a trial may start from, the winner first. target: the
    selection split. pseudo: what is trained on. parts: of the fingerprint."""

    winner: Winner
    starts: Sequence[ModelRecord]
    original: Original
    gold: Gold | None
    target: SelectionSplit
    pseudo: Sampled
    parts: dict[str, Any]


def further_inputs(run: Run) -> FurtherInputs:
    """Reads all of it. Raises UserError where something is missing, or there are too few pseudo-labels."""
    winner, labelled, data = read_result(run, SearchResult).winner, read_result(run, LabelResult), data_of(run)
    target, pseudo = selection_split(data.gold, sampled(run, labelled, data.gold))
    if len(pseudo.keys) < FEWEST_PSEUDO_LABELS or not target.texts:
        raise UserError(
            f"stage two: {len(pseudo.keys)} pseudo-labels are too few to train on",
            f"at least {FEWEST_PSEUDO_LABELS} are needed: raise pseudo_label.sample, or look at its answers",
        )
    starts = _starts(run, winner)
    parts = _parts(run, winner, labelled, target.source) | _optional_parts(run, labelled)
    if len(starts) > 1:
        parts["further.space.start"] = [f"{legacy_model_name(record.name)} {record.value!r}" for record in starts]
    return FurtherInputs(winner, starts, data.original, data.gold, target, pseudo, parts)


def _parts(run: Run, winner: Winner, labelled: LabelResult, target: str) -> dict[str, Any]:
    plan, data = run.plan, data_of(run)
    return {
        "winner": {"candidate": winner.candidate, "trial": winner.trial, "value": winner.value},
        "labeller": labelled.identity,
        "target": target,
        "gold (content)": data.gold.tune.fingerprint if data.gold else None,
        "seed": plan.seed,
        "further.pruner": plan.further.pruner,
        "further.tolerance": plan.further.tolerance,
        "further.space": plain_space({**plan.search.space, **plan.further.space}),
        "original (content)": [data.original.train.fingerprint, data.original.validation.fingerprint],
    }


def _optional_parts(run: Run, labelled: LabelResult) -> dict[str, Any]:
    """Parts that stand in a fingerprint only where they differ from what was so before they became options."""
    settings, parts = run.plan.further, dict[str, Any]()
    if settings.sampler != "tpe":
        parts["further.sampler"] = settings.sampler
    if settings.seeds != 1:
        parts["further.seeds"] = settings.seeds
    if settings.patience is not None:
        parts["further.patience"] = settings.patience
    if run.plan.rounds is not None:
        parts["rounds"] = run.plan.rounds.model_dump(include={"comments", "top"})  # their number only adds
    if labelled.drawn is not None:
        parts["comments chosen"] = [labelled.drawn.choose, labelled.drawn.languages]
    if labelled.calibration is not None:
        parts["calibration"] = labelled.calibration.as_dict()  # it changes the labels that are trained on
    if adapts(run, "further"):
        parts["adapted"] = read_result(run, AdaptResult).fingerprint
    return parts


def _starts(run: Run, winner: Winner) -> list[ModelRecord]:
    """As many of the winner's candidate as the space's `start` asks for. Others would need another tokenizer."""
    first = model_registry.get(run.engine, run.plan.name, winner.name)
    if first is None:
        raise UserError(f"the weights of {winner.name} are gone", "begin stage one again: --anew search")
    wanted = most(run.plan.space("further", {"start": 1})["start"])
    sign = 1 if DIRECTIONS[run.plan.search.metric] == "maximize" else -1
    kept = [
        r for r in model_registry.models(run.engine, run.plan.name, stage="search") if r.candidate == first.candidate
    ]
    others = sorted((r for r in kept if r.name != first.name), key=lambda r: (-sign * (r.value or 0.0), r.name))
    if len(others) + 1 < wanted:
        raise UserError(
            f"further.space.start: {wanted} is more than the {len(others) + 1} kept trials of {first.candidate}",
            "raise search.keep before stage one is begun, or start from fewer",
        )
    return [first, *others[: wanted - 1]]
