"""Checks everything that a plan names: its data, what would run, for how long about, and every problem found."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from stages.check.data_summary import (
    CommentSummary,
    encoder_summary,
    label_counts,
    length_quantiles,
    named,
    overlaps,
    read_all_comments,
    splits_of,
)
from stages.check.time_estimate import seconds_by_stage
from stages.datasets.comment_samples import masked_notes
from stages.datasets.original_and_gold import Gold, halves_of, read_gold_rows, read_original, subset_of
from stages.label.labeller_ensemble import named_labellers, require_labellers
from stages.label.labelling_cost import estimate_plan, prompt_count
from stages.monitor.context_builder import check_covariates
from stages.plan.plan_settings import FurtherSettings, SearchSettings
from stages.plan.schema import Plan, read_plan
from stages.plan.validation import LAYERS
from stages.results.check_result import CheckedDevice, CheckedEncoder, CheckResult, PlannedStage
from stages.results.label_result import CostEstimate
from stages.runtime.run_context import check_writable, files_of, store_url
from stages.runtime.stage_order import stages_of
from stages.study_runs.study_settings import search_warnings, study_config
from storage.database.open_store import check_store
from storage.errors import StoreError
from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import Space
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original, split_gold
from transfer.device.device import device_name, has_bf16
from transfer.errors import UserError, UserErrors
from transfer.labellers.labeller_settings import LabellerSettings

T = TypeVar("T")


def check_file(path: Path, overrides: Sequence[str]) -> CheckResult:
    """check_plan of the plan in a file; where it cannot be read, `problems` says why."""
    try:
        plan = read_plan(path, overrides)
    except UserError as problem:
        return CheckResult(problems=getattr(problem, "problems", [str(problem)]))
    return check_plan(plan)


def check_plan(plan: Plan) -> CheckResult:
    """Reads everything that the plan names; each problem found is reported, and none ends the check."""
    problems: list[str] = []
    attempt = partial(_attempt, problems)
    original = attempt(lambda: read_original(plan))
    subset = attempt(lambda: subset_of(plan, original) if original else None)
    gold = attempt(lambda: read_gold_rows(plan))
    for check in (lambda: check_writable(plan), lambda: check_store(store_url(plan)), lambda: files_of(plan)):
        attempt(check)
    attempt(lambda: check_covariates(plan))
    halves = attempt(lambda: halves_of(gold, split_gold(gold.keys, gold.labels, plan.seed, {})) if gold else None)
    if "label" in stages_of(plan):
        attempt(lambda: require_labellers(plan))
    own = (plan.pseudo_label and plan.pseudo_label.sources) or []
    to_sample = attempt(lambda: read_all_comments(plan, own, "pseudo_label.sources"))
    comments = attempt(lambda: read_all_comments(plan, plan.comments, "comments")) or CommentSummary()
    labelling = attempt(lambda: _labelling(plan, to_sample if own else comments, halves))
    encoders = [found for name in plan.candidates if (found := attempt(partial(encoder_summary, plan, name)))]
    splits, device = splits_of(original, gold), device_name()
    lengths = {name: length_quantiles([len(text) for text in rows.texts]) for name, rows in splits.items()}
    dropped = original.dropped if original else {}
    return CheckResult(
        rows={name: len(rows) for name, rows in splits.items()} | {"comments": comments.rows},
        labels={name: label_counts(rows, plan.labels) for name, rows in splits.items()},
        lengths=lengths | ({"comments": comments.lengths} if comments.rows else {}),
        dropped={**dropped, **named("gold", gold.dropped if gold else {}), **comments.dropped},
        overlaps=overlaps(splits),
        conflicts={name: rows.conflicts for name, rows in splits.items() if rows.conflicts},
        would_run=planned_stages(plan, comments.rows, None if subset is None else len(subset)),
        candidates=encoders,
        device=CheckedDevice(name=device, bf16=has_bf16(device)),
        seconds=_seconds(plan, original, subset, encoders, comments.texts),
        labelling=labelling or [],
        notes=[*_notes(plan), *masked_notes(plan, comments.masked, comments.rows)],
        problems=problems,
    )


def _labelling(plan: Plan, comments: CommentSummary | None, gold: Gold | None) -> list[CostEstimate]:
    """What servers would cost, if none of the comments were labelled yet."""
    if comments is None or plan.pseudo_label is None or "label" not in stages_of(plan):
        return []
    n_gold = len(gold.tune) + len(gold.report) if gold else 0
    return estimate_plan(plan, min(plan.pseudo_label.sample, comments.texts) + n_gold, comments.some, gold)


def _notes(plan: Plan) -> list[str]:
    """What is allowed and unlikely to be meant. Stage two's candidate is not known yet."""
    space = plan.space("search", default_space(LAYERS))
    notes = [note for name in plan.candidates for note in _study_notes(plan, plan.search, f"search · {name}", space)]
    if "further" not in stages_of(plan):
        return notes
    space = plan.space("further", {**default_space(LAYERS), **default_mixing()})
    return [*notes, *_study_notes(plan, plan.further, "further", space)]


def _study_notes(plan: Plan, settings: SearchSettings | FurtherSettings, name: str, space: Space) -> list[str]:
    study = study_config(
        settings,
        name=f"{plan.name} · {name}",
        direction="maximize",
        metric="",
        space=space,
        baseline={},
        seed=plan.seed,
        attributes={},
    )
    return search_warnings(study)


def _attempt(problems: list[str], read: Callable[[], T]) -> T | None:
    """What `read` returns; None where it raises what the user can correct, which is added to `problems`."""
    try:
        return read()
    except UserErrors as several:
        problems += several.problems
    except (UserError, StoreError) as problem:
        problems.append(str(problem))
    return None


def _seconds(
    plan: Plan, original: Original | None, subset: Labelled | None, encoders: Sequence[CheckedEncoder], texts: int
) -> dict[str, float]:
    if original is None or not encoders:
        return {}
    share = 1.0 if subset is None else len(subset) / len(original.train)
    return seconds_by_stage(plan, original.train.texts, share, encoders, texts)


def planned_stages(plan: Plan, comments: int, subset: int | None) -> list[PlannedStage]:
    """In the order in which they would run. comments: rows. subset: rows that the search trains on, if not on all."""
    words: dict[str, Callable[[Plan], str]] = {
        "adapt": _adapt,
        "search": lambda plan: _search(plan, subset),
        "label": _label,
        "further": lambda plan: f"{plan.further.trials} trials{_recheck(plan.further)}, and either source alone",
        "ensemble": lambda plan: f"{plan.ensemble.combine} of the best {plan.ensemble.top}",
        "distil": lambda plan: _distil(plan, comments),
        "infer": lambda plan: f"{comments} comments",
        "monitor": lambda plan: f"per {', '.join(plan.index.every)}, {plan.index.timezone}",
    }
    return [PlannedStage(stage=stage, what=words[stage](plan)) for stage in stages_of(plan)]


def _adapt(plan: Plan) -> str:
    assert plan.adapt is not None
    encoders = ", ".join(plan.candidates) if plan.adapt.before == "search" else "stage one's winner"
    return f"{encoders} to {plan.adapt.comments:,} comments at most"


def _search(plan: Plan, subset: int | None) -> str:
    how = _recheck(plan.search)
    if plan.search.subset is not None and subset is not None:
        how = f" on {subset:,} rows, the best {plan.search.subset.refit} and the baseline on all{how}"
    return f"{len(plan.candidates)} candidates x {plan.search.trials} trials{how}: {', '.join(plan.candidates)}"


def _label(plan: Plan) -> str:
    assert plan.pseudo_label is not None
    labellers = " and ".join(_labeller(settings) for _, settings in named_labellers(plan))
    return f"{plan.pseudo_label.sample} comments by {labellers}"


def _labeller(settings: LabellerSettings) -> str:
    prompts, tuning = prompt_count(settings), settings.tuning
    name = settings.model or settings.base_url or "stage one, as teacher"
    name += f" with {prompts} prompts each" if prompts > 1 else ""
    return name + (f", tuned before ({tuning.kind}) on {tuning.sample:,} rows of original train" if tuning else "")


def _distil(plan: Plan, comments: int) -> str:
    assert plan.distil is not None
    texts = min(plan.distil.sample, comments) or "the training"
    return f"{plan.distil.encoder} is trained on what the ensemble predicts for {texts} texts"


def _recheck(settings: SearchSettings | FurtherSettings) -> str:
    recheck = settings.refits
    return "" if recheck is None else f", the best {recheck.top} again on {recheck.seeds} fresh seeds"
