"""A checked plan as people read it: its data, what would run, and the problems."""

from collections.abc import Mapping
from typing import Any

from stages.console.show_labels import in_words
from stages.console.tables import console, duration, table


def show_check(result: Mapping[str, Any]) -> None:
    """Data, what would run, and the problems."""
    out = console()
    if result["rows"]:
        _show_data(result)
    for note in result.get("notes", []):
        out.print(f"note: {note}")
    for problem in result["problems"]:
        out.print(f"problem: {problem}", style="bold")
    out.print("no problems found" if not result["problems"] else f"{len(result['problems'])} problems found")


def _show_data(result: Mapping[str, Any]) -> None:
    out = console()
    labels = list(next(iter(result["labels"].values()), {}))
    lengths = ("median", "95 %", "longest")
    made = table("split", "rows", *labels, *(f"characters, {name}" for name in lengths))
    for split, rows in ((split, rows) for split, rows in result["rows"].items() if rows):
        counts = result["labels"].get(split, {})
        measured = result["lengths"].get(split, {})
        made.add_row(
            split, f"{rows:,}", *(str(counts.get(x, "")) for x in labels), *(str(measured.get(x, "")) for x in lengths)
        )
    out.print(made)
    for what in ("dropped", "overlaps", "conflicts"):
        if result[what]:
            out.print(f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in result[what].items()))
    for stage in result["would_run"]:
        seconds = result["seconds"].get(stage["stage"])
        out.print(f"{stage['stage']}: {stage['what']}" + (f", roughly {duration(seconds)}" if seconds else ""))
    for told in result.get("labelling", []):
        out.print(f"labelling by {told['labeller']}: {in_words(told)}")
    device = result["device"]
    out.print(f"on {device['name']}{', bf16' if device['bf16'] else ''}")
