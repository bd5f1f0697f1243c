"""An inference as people read it."""

from stages.console.tables import console
from stages.results.infer_result import InferResult

MEGABYTE = 1e6


def show_inference(result: InferResult) -> None:
    """How many comments were classified, by what, how fast, and what was left out."""
    out = console()
    megabytes = result.peak_rss_bytes / MEGABYTE
    engine = f"{result.engine} {result.precision}".strip()
    out.print(
        f"{result.rows:,} comments, {result.unique:,} different texts read by {engine}, "
        f"{result.rows_per_second:,} a second, peak memory {megabytes:,.0f} MB, {len(result.shards)} shards"
    )
    if result.skipped:
        left_out = ", ".join(f"{n:,} × {reason}" for reason, n in result.skipped.items())
        out.print(f"left out: {left_out}" + "; see results/skipped.jsonl" * bool(result.faults))
