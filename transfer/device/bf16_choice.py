"""Whether a processor computes in bfloat16: measured, or as an earlier run recorded it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Has `bfloat16`, whether a processor's products are computed in it, and what was measured.
Choice = Mapping[str, Any]
Measure = Callable[[], Choice]
Decide = Callable[[str, Measure], Choice]


@dataclass
class _Decision:
    """What decides, and what was decided in this process. decide: None where the measurement does."""

    decide: Decide | None = None
    known: dict[str, Choice] = field(default_factory=dict)


_decision = _Decision()


def decide_by(decide: Decide | None) -> None:
    """Lets `decide` decide for each processor from now on; it is called once, and only when that matters.

    decide: (name of the processor, measurement) -> choice. None: the measurement decides.
    """
    _decision.decide = decide
    _decision.known.clear()


def decided(processor: str, measure: Measure) -> bool:
    """Whether the processor computes in bfloat16, for as long as this process keeps to one plan."""
    if processor not in _decision.known:
        decide = _decision.decide
        _decision.known[processor] = measure() if decide is None else decide(processor, measure)
    return bool(_decision.known[processor]["bfloat16"])
