"""A run and its stages as people read them."""

from collections.abc import Callable, Sequence
from typing import Any

from stages.console.show_evaluation import show_distilled, show_ensemble
from stages.console.show_labels import show_label_stage, show_labeller
from stages.console.show_studies import show_stages, show_studies, show_winner
from stages.console.tables import console, ends, figure, table
from stages.results.ensemble_result import EnsembleResult
from stages.results.further_result import AblationResult, ArmComparison, ArmScores, Comparison, FurtherResult
from stages.results.infer_result import InferResult
from stages.results.label_result import LabelResult
from stages.results.monitor_result import MonitorResult
from stages.results.run_result import RunResult
from stages.results.stage_result import Interval, StageResult
from stages.results.study_results import ModelScores, SearchResult, StudiesResult

Row = ModelScores | ArmScores


def show_run(result: RunResult) -> None:
    """All stages, the table of all models, and where to look next."""
    out = console()
    show_stages(result.stages)
    show_rows(result.results)
    if result.labeller:
        show_labeller(result.labeller)
    if result.page:
        out.print(f"page: {result.page}")
    out.print(f"dashboard: moodline dashboard {result.plan}")


def show_stage(result: StageResult) -> None:
    RENDERERS[type(result)](result)


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


def _show_studies(result: StudiesResult) -> None:
    show_studies(result.studies)
    show_winner(result.winner)
    if isinstance(result, SearchResult | FurtherResult) and result.rows:  # a worker has none
        show_rows(result.rows)
        if isinstance(result, FurtherResult):
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


def _show_line(result: MonitorResult) -> None:
    for name in ("page", "png", "csv"):
        console().print(f"{name}: {getattr(result, name)}")


def show_inference(result: InferResult) -> None:
    out = console()
    megabytes = result.peak_rss_bytes / 1e6
    engine = f"{result.engine} {result.precision}".strip()
    out.print(
        f"{result.rows:,} comments, {result.unique:,} different texts read by {engine}, "
        f"{result.rows_per_second:,} a second, peak memory {megabytes:,.0f} MB, {len(result.shards)} shards"
    )
    if result.skipped:
        left_out = ", ".join(f"{n:,} × {reason}" for reason, n in result.skipped.items())
        out.print(f"left out: {left_out}" + "; see results/skipped.jsonl" * bool(result.faults))


HEAD = ("than", "on", "macro-F1", "95 % interval", "verdict")
VERDICTS = {"better": "better", "worse": "worse", "not shown": "no difference shown", None: ""}


def comparison_rows(comparisons: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """A row for each comparison, in the columns of HEAD."""
    return [
        (
            f"{found.model if isinstance(found, ArmComparison) else 'stage two'} − {found.than}",
            f"{found.split} ({found.n:,})",
            f"{found.difference:+.3f}",
            f"{found.low:+.3f} to {found.high:+.3f}",
            VERDICTS[found.verdict],
        )
        for found in comparisons
    ]


def comparison_notes(result: FurtherResult | AblationResult) -> list[str]:
    picture = result.png if isinstance(result, AblationResult) else None
    paired = "texts and seeds are resampled in pairs" if picture else "the same texts for both"
    notes = [f"intervals: paired bootstrap, {paired}; no verdict where models were selected on the split"]
    notes += [f"picture: {picture}"] if picture else []
    return [*notes, *(f"warning: {warning}" for warning in result.warnings)]


def show_comparisons(result: FurtherResult | AblationResult) -> None:
    """Whether stage two is better than its controls, and what cannot be said."""
    made = table(*HEAD)
    for row in comparison_rows(result.comparisons):
        made.add_row(*row)
    console().print(made)
    for note in comparison_notes(result):
        console().print(note)


RENDERERS: dict[type[StageResult], Callable[[Any], None]] = {
    StudiesResult: _show_studies,
    SearchResult: _show_studies,
    FurtherResult: _show_studies,
    AblationResult: _show_ablation,
    LabelResult: show_label_stage,
    EnsembleResult: _show_ensemble,
    InferResult: show_inference,
    MonitorResult: _show_line,
}
