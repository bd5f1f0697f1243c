"""A run and its stages as people read them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stages.console.show_evaluation import show_distilled, show_ensemble
from stages.console.show_further import show_comparisons
from stages.console.show_infer import show_inference
from stages.console.show_labels import show_label_stage, show_labeller
from stages.console.show_studies import show_studies, show_winner
from stages.console.tables import console, ends, figure, table
from stages.results.ensemble_result import EnsembleResult
from stages.results.further_result import AblationResult, ArmScores, FurtherResult
from stages.results.infer_result import InferResult
from stages.results.label_result import LabelResult
from stages.results.model_scores import ModelScores
from stages.results.run_result import RunResult
from stages.results.search_result import SearchResult
from stages.results.stage_result import Interval, StageResult
from stages.results.study_results import StudiesResult

Row = ModelScores | ArmScores


def show_run(result: RunResult) -> None:
    """All stages, the table of all models, and where to look next."""
    out = console()
    made = table("stage", "state", "seconds")
    for stage in result.stages:
        made.add_row(stage.stage, stage.state, f"{stage.seconds:.1f}")
    out.print(made)
    show_rows(result.results)
    if result.labeller:
        show_labeller(result.labeller)
    if result.page:
        out.print(f"page: {result.page}")
    out.print(f"dashboard: moodline dashboard {result.plan}")


def show_stage(result: StageResult | Mapping[str, Any]) -> None:
    """What one stage came to."""
    if isinstance(result, StageResult):
        RENDERERS[type(result)](result)
    else:
        _show_untyped(result)


def show_rows(rows: Sequence[Row]) -> None:
    """One table in which all models stand, split by split."""
    made = table("model", "split", "n", "accuracy", "95 % interval", "macro-F1", "95 % interval")
    for split in dict.fromkeys(row.split for row in rows):
        for row in (row for row in rows if row.split == split):
            of_accuracy, of_f1 = _intervals(row)
            figures = (figure(row.accuracy), of_accuracy, figure(row.macro_f1), of_f1)
            made.add_row(row.model, split, figure(row.n), *figures)
        made.add_section()
    console().print(made)
    for note in sorted({row.note for row in rows if row.note}):
        stages = sorted({row.stage for row in rows if row.note == note})
        console().print(f"{', '.join(stages)}: {note}")


def _intervals(row: Row) -> tuple[str, str]:
    """Of accuracy, which an ablation has none of, and of macro-F1."""
    known = (row.intervals or {}).get("accuracy") if isinstance(row, ModelScores) else None
    has_ends = row.macro_f1 is not None and row.low is not None and row.high is not None
    return ends(known), ends(Interval(value=row.macro_f1, low=row.low, high=row.high)) if has_ends else ""


def _show_joined(result: StudiesResult) -> None:
    show_studies(result.studies)
    show_winner(result.winner)


def _show_search(result: SearchResult) -> None:
    _show_joined(result)
    if result.rows:  # a worker has none
        show_rows(result.rows)


def _show_further(result: FurtherResult) -> None:
    _show_joined(result)
    if result.rows:
        show_rows(result.rows)
        show_comparisons(result)


def _show_ablation(result: AblationResult) -> None:
    show_studies(result.studies)
    show_rows(result.rows)
    show_comparisons(result)


def _show_ensemble(result: EnsembleResult) -> None:
    show_ensemble(result)
    if result.distilled:
        show_distilled(result.distilled)
    show_rows(result.rows)


RENDERERS: dict[type[StageResult], Callable[[Any], None]] = {
    StudiesResult: _show_joined,
    SearchResult: _show_search,
    FurtherResult: _show_further,
    AblationResult: _show_ablation,
    LabelResult: show_label_stage,
    EnsembleResult: _show_ensemble,
    InferResult: show_inference,
}


def _show_untyped(result: Mapping[str, Any]) -> None:
    """Results of the stages that have no type yet."""
    if "page" in result:
        console().print("\n".join(f"{name}: {result[name]}" for name in ("page", "png", "csv")))
    if isinstance(result.get("rows"), list):
        show_rows([ModelScores.model_validate(row) for row in result["rows"]])
