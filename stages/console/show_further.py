"""What stage two's comparisons come to, in words: rows of a table for the terminal, and what must be said below it."""

from collections.abc import Mapping
from typing import Any

from stages.console.tables import console, table

HEAD = ("than", "on", "macro-F1", "95 % interval", "verdict")
VERDICTS = {"better": "better", "worse": "worse", "not shown": "no difference shown"}


def comparison_rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each comparison, in the columns of HEAD. result: of stage two, or of its ablation."""
    return [
        (
            f"{found.get('model', 'stage two')} − {found['than']}",
            f"{found['split']} ({found['n']:,})",
            f"{found['difference']:+.3f}",
            f"{found['low']:+.3f} to {found['high']:+.3f}",
            VERDICTS.get(found["verdict"], ""),
        )
        for found in result["comparisons"]
    ]


def comparison_notes(result: Mapping[str, Any]) -> list[str]:
    """What the table's figures rest on, and every warning."""
    paired = "texts and seeds are drawn in pairs" if result.get("png") else "the same texts for both"
    notes = [f"intervals: paired bootstrap, {paired}; no verdict where the split had a part in choosing"]
    notes += [f"picture: {result['png']}"] if result.get("png") else []
    return [*notes, *(f"warning: {warning}" for warning in result.get("warnings", []))]


def show_comparisons(result: Mapping[str, Any]) -> None:
    """Whether stage two is better than its controls, and what cannot be said."""
    made = table(*HEAD)
    for row in comparison_rows(result):
        made.add_row(*row)
    console().print(made)
    for note in comparison_notes(result):
        console().print(note)
