"""Results as 0.1.0 stored them."""

import json
from pathlib import Path
from typing import Any

STORED = Path(__file__).parents[1] / "stages" / "results" / "stored_by_0_1_0"
ADDED = {"schema_version", "stopped"}  # of every result since


def stored(stage: str) -> dict[str, Any]:
    """A stage's result."""
    found: dict[str, Any] = json.loads((STORED / f"{stage}.json").read_text(encoding="utf-8"))
    return found
