"""A length of time as people write it in a plan."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

MINUTES = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}
WRITTEN = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+$")


def minutes(value: Any) -> float:
    """Minutes of "8h", "90m", "1h30m", "45s", "2d", or of a number, which is minutes already.

    Raises ValueError for anything else, and for nothing at all.
    """
    if isinstance(value, str):
        text = value.replace(" ", "").lower()
        if not WRITTEN.match(text):
            raise ValueError(f"a length of time is written 8h, 90m, 1h30m or 2d, got {value!r}")
        value = sum(float(number) * MINUTES[unit] for number, unit in re.findall(r"([\d.]+)([dhms])", text))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"a length of time is written 8h or 90m, or in minutes above 0, got {value!r}")
    return float(value)


def shown(minutes: float) -> str:
    """A length of time as people write it: "8h", "1h30m", "0.6s"."""
    if minutes < 1:
        return f"{60 * minutes:g}s"
    hours, rest = divmod(minutes, 60)
    return (f"{hours:g}h" if hours else "") + (f"{rest:g}m" if rest else "")


Duration = Annotated[float, BeforeValidator(minutes)]
