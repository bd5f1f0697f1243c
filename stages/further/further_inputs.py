"""What stage two begins with: the winner, the data, the pseudo-labels, and the weights that a trial may start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.datasets.original_and_gold import Gold, read_gold, read_original
from stages.further.selection_split import SelectionSplit, target_of
from stages.label.run_label import Sampled, sampled
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import result_of
from stages.search.domain_adaptation import adapted_result, adapts
from stages.search.run_search import search_result
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.lasting_names import lasting_model_name
from studies.space.dimensions import most, plain_space
from transfer.corpus.splits import Original
from transfer.errors import UserError
from transfer.metrics.scores import DIRECTIONS

FEWEST_PSEUDO_LABELS = 20


@dataclass(frozen=True)
class Inputs:
    """What stage two begins with.

    starts: stage one's kept trials that a trial may start from, the winner first. parts: of the fingerprint.
    """

    winner: Mapping[str, Any]
    starts: Sequence[ModelRecord]
    original: Original
    gold: Gold | None
    target: SelectionSplit
    pseudo: Sampled
    parts: dict[str, Any]


def inputs_of(run: Run) -> Inputs:
    """Reads all of it. Raises UserError where something is missing, or there are too few pseudo-labels."""
    plan = run.plan
    winner, labelled = search_result(run)["winner"], result_of(run, "label")
    gold = read_gold(run)
    original = read_original(plan, {*gold.tune.keys, *gold.report.keys} if gold else ())
    target, pseudo = target_of(gold, sampled(run, labelled, gold))
    if len(pseudo.keys) < FEWEST_PSEUDO_LABELS or not target.texts:
        raise UserError(
            f"stage two: {len(pseudo.keys)} pseudo-labels are too few to learn from",
            f"at least {FEWEST_PSEUDO_LABELS} are needed: raise pseudo_label.sample, or look at its answers",
        )
    parts = {
        "winner": {name: winner[name] for name in ("candidate", "trial", "value")},
        "labeller": labelled["identity"],
        "target": target.source,
        "gold (content)": gold.tune.fingerprint if gold else None,
        "seed": plan.seed,
        "further.pruner": plan.further.pruner,
        "further.tolerance": plan.further.tolerance,
        "further.space": plain_space({**plan.search.space, **plan.further.space}),
        "original (content)": [original.train.fingerprint, original.validation.fingerprint],
    }
    starts = _starts(run, winner)
    parts |= _if_other_than_usual(run, labelled)
    if adapts(run, "further"):
        parts["adapted"] = adapted_result(run)["fingerprint"]
    if len(starts) > 1:
        parts["further.space.start"] = [f"{lasting_model_name(record.name)} {record.value!r}" for record in starts]
    return Inputs(winner, starts, original, gold, target, pseudo, parts)


def _if_other_than_usual(run: Run, labelled: Mapping[str, Any]) -> dict[str, Any]:
    """Parts that stand in a fingerprint only where they differ from what was so before they could be chosen."""
    settings, parts = run.plan.further, dict[str, Any]()
    if settings.sampler != "tpe":
        parts["further.sampler"] = settings.sampler
    if settings.seeds != 1:
        parts["further.seeds"] = settings.seeds
    if settings.patience is not None:
        parts["further.patience"] = settings.patience
    if run.plan.rounds is not None:
        parts["rounds"] = run.plan.rounds.model_dump(include={"comments", "top"})  # their number only adds
    if "drawn" in labelled:
        parts["comments chosen"] = [labelled["drawn"][name] for name in ("choose", "languages")]
    if labelled.get("calibration"):
        parts["calibration"] = labelled["calibration"]  # the labels learnt from are others with it
    return parts


def _starts(run: Run, winner: Mapping[str, Any]) -> list[ModelRecord]:
    """As many of the winner's candidate as the space's `start` asks for. Others would need another tokenizer."""
    first = model_registry.get(run.engine, run.plan.name, winner["name"])
    if first is None:
        raise UserError(f"the weights of {winner['name']} are gone", "begin stage one again: --anew search")
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
