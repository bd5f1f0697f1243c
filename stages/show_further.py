"""What stage two's comparisons come to, in words: lines for the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

VERDICTS = {"better": "better", "worse": "worse", "not shown": "neither better nor worse as far as can be shown"}


def comparison_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """A line for each comparison, and the warnings. result: of stage two, or of its ablation."""
    if result["comparisons"]:
        yield f"{result.get('compared', 'stage two')} against, macro-F1, 95 % of a paired bootstrap:"
    for found in result["comparisons"]:
        figures = f"{found['difference']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"
        said = VERDICTS.get(found["verdict"], "no verdict, for it had a part in choosing")
        yield f"  {found['than']}, on {found['split']} ({found['n']:,}): {figures}: {said}"
    for warning in result.get("warnings", []):
        yield f"warning: {warning}"
