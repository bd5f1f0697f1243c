"""Whether a processor computes in bfloat16: measured, or as whoever keeps such choices has it from an earlier time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Says what holds for a processor. Has `bfloat16`, whether its products are to be in it, and what was measured.
Choice = Mapping[str, Any]
Measure = Callable[[], Choice]
Decide = Callable[[str, Measure], Choice]


@dataclass
class _Decision:
    """Who decides, and what was decided in this process. decide: None where what is measured holds."""

    decide: Decide | None = None
    known: dict[str, Choice] = field(default_factory=dict)


_decision = _Decision()


def decide_by(decide: Decide | None) -> None:
    """Has `decide` say from now on what holds for a processor; it is asked once, and only when that matters.

    decide: gets the processor's name, and what measures it now. None: what is measured holds.
    """
    _decision.decide = decide
    _decision.known.clear()


def decided(processor: str, measure: Measure) -> bool:
    """Whether the processor computes in bfloat16, for as long as this process keeps to one plan."""
    if processor not in _decision.known:
        decide = _decision.decide
        _decision.known[processor] = measure() if decide is None else decide(processor, measure)
    return bool(_decision.known[processor]["bfloat16"])
