"""Stage two's comparisons, in words: rows of a table for the terminal, and what must be said below it."""

from collections.abc import Sequence

from stages.console.tables import console, table
from stages.results.further_result import AblationResult, ArmComparison, Comparison, FurtherResult

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
    """What the table's figures rest on, and every warning."""
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
