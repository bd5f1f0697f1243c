"""What a plan would run, stage by stage, in words."""

from collections.abc import Callable

from stages.label.labeller_ensemble import named_labellers
from stages.label.labelling_cost import prompt_count
from stages.plan.plan_settings import FurtherSettings, SearchSettings
from stages.plan.schema import Plan
from stages.results.check_result import PlannedStage
from stages.runtime.stage_order import stages_of
from studies.refit_settings import recheck_of
from transfer.labellers.labeller_settings import LabellerSettings


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
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    return "" if recheck is None else f", the best {recheck.top} again on {recheck.seeds} fresh seeds"
