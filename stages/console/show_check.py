"""A checked plan as people read it: its data, what would run, and the problems."""

from stages.console.tables import console, duration, table
from stages.results.check_result import CheckResult

LENGTHS = ("median", "95 %", "longest")


def show_check(result: CheckResult) -> None:
    out = console()
    if result.rows:
        _show_data(result)
        _show_stages(result)
    for note in result.notes:
        out.print(f"note: {note}")
    for problem in result.problems:
        out.print(f"problem: {problem}", style="bold")
    out.print("no problems found" if not result.problems else f"{len(result.problems)} problems found")


def _show_data(result: CheckResult) -> None:
    out = console()
    labels = list(next(iter(result.labels.values()), {}))
    made = table("split", "rows", *labels, *(f"characters, {name}" for name in LENGTHS))
    for split, rows in ((split, rows) for split, rows in result.rows.items() if rows):
        counts, lengths = (found.get(split, {}) for found in (result.labels, result.lengths))
        of_labels, of_lengths = (str(counts.get(x, "")) for x in labels), (str(lengths.get(x, "")) for x in LENGTHS)
        made.add_row(split, f"{rows:,}", *of_labels, *of_lengths)
    out.print(made)
    for name, found in (
        ("dropped", result.dropped),
        ("overlaps", result.overlaps),
        ("conflicts", result.conflicts),
    ):
        if found:
            out.print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in found.items()))


def _show_stages(result: CheckResult) -> None:
    out = console()
    for stage in result.would_run:
        seconds = result.seconds.get(stage.stage)
        out.print(f"{stage.stage}: {stage.what}" + (f", roughly {duration(seconds)}" if seconds else ""))
    for estimate in result.labelling:
        out.print(f"labelling by {estimate.labeller}: {estimate.in_words}")
    if result.device:
        out.print(f"on {result.device.name}{', bf16' if result.device.bf16 else ''}")
