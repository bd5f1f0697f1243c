"""Which way of computing a model is the fastest here, among those that give float32's labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transfer.encoders.tokenization import Tokens
from transfer.engines.inference_engine import Engine, EngineVariant, Floats
from transfer.errors import UserError, first_line

OpenVariant = Callable[[EngineVariant], Engine]
# What a faster variant may cost: of the labels one in 200, of any label's share 0.2 points.
LEAST_AGREEMENT = 0.995
MOST_SHIFT = 0.002
WARM_UP = 64  # texts, before the clock runs
REFERENCE = EngineVariant("torch", "float32")


@dataclass(frozen=True)
class Measurement:
    """A variant on a sample. texts_per_second: from tokens on.

    agreement: share of texts with float32's label. shift: the largest difference of any label's share, by counting
    labels and by the mean of probabilities. problem: why it could not be tried at all.
    """

    way: EngineVariant
    texts_per_second: float = 0.0
    agreement: float = 0.0
    shift: float = 1.0
    problem: str | None = None

    @property
    def agrees(self) -> bool:
        return self.agreement >= LEAST_AGREEMENT and self.shift <= MOST_SHIFT

    def __str__(self) -> str:
        if self.problem is not None:
            return f"{self.way}: {self.problem}"
        line = f"{self.way}: {self.texts_per_second:,.0f} texts/s, {self.agreement:.1%} of float32's labels"
        return line if self.agrees else f"{line}, shares off by {self.shift:.2%}: not taken"


def compare(found: Floats, reference: Floats) -> tuple[float, float]:
    """Agreement and shift, as in Measurement, of two arrays of probabilities (N, K), N at least 1."""
    labels, expected = found.argmax(axis=1), reference.argmax(axis=1)
    k = reference.shape[1]
    counted = np.bincount(labels, minlength=k) - np.bincount(expected, minlength=k)
    mean = found.mean(axis=0, dtype=np.float64) - reference.mean(axis=0, dtype=np.float64)
    shift = max(np.abs(counted).max() / len(labels), np.abs(mean).max())
    return float((labels == expected).mean()), float(shift)


def fastest(
    variants: Sequence[EngineVariant], open_variant: OpenVariant, tokens: Tokens, on_message: Callable[[str], None]
) -> tuple[EngineVariant, list[Measurement]]:
    """The fastest variant that agrees with float32 on some texts, and what was measured of each.

    tokens: of some hundred different texts. on_message: called with a line for each variant. Raises UserError where
    none agrees.
    """
    reference, seconds = _timed(open_variant(REFERENCE), tokens)
    found: list[Measurement] = []
    for variant in variants:
        if _is_needless(variant, found):
            continue
        if variant == REFERENCE:
            found.append(Measurement(variant, len(tokens) / seconds, 1.0, 0.0))
        else:
            found.append(_measured(variant, open_variant, tokens, reference))
        on_message(str(found[-1]))
    agreeing = [measured for measured in found if measured.agrees]
    if not agreeing:
        raise UserError(
            f"infer.engine: nothing that the plan allows gives float32's labels (of {len(tokens)} comments)",
            *map(str, found),
            f"asked for are {LEAST_AGREEMENT:.1%} of the labels, and every label's share within {MOST_SHIFT:.1%}",
            "set infer.precision, or infer.engine, to auto or to something more exact",
        )
    return max(agreeing, key=lambda measured: measured.texts_per_second).way, found


def _is_needless(variant: EngineVariant, found: Sequence[Measurement]) -> bool:
    """Whether it can only be slower than one that agrees: where int8 does, less of it is not tried."""
    all_int8 = EngineVariant(variant.engine, "int8")
    return variant.precision == "int8-mixed" and any(m.way == all_int8 and m.agrees for m in found)


def _measured(variant: EngineVariant, open_variant: OpenVariant, tokens: Tokens, reference: Floats) -> Measurement:
    try:
        found, seconds = _timed(open_variant(variant), tokens)
    except Exception as error:  # noqa: BLE001 - whatever a library raises of a model, the other variants remain
        return Measurement(variant, problem=first_line(error, 200))
    return Measurement(variant, len(tokens) / seconds, *compare(found, reference))


def _timed(engine: Engine, tokens: Tokens) -> tuple[Floats, float]:
    """Probabilities, and seconds by the better of two runs: another program may have had the machine in one of them,
    and libraries make a kernel for each shape that they see first."""
    engine.classify(tokens.take(np.arange(min(WARM_UP, len(tokens)))))
    found, first = _clocked(engine, tokens)
    half = tokens.take(np.arange(-(-len(tokens) // 2)))
    _, second = _clocked(engine, half)
    return found, max(min(first, second * len(tokens) / max(len(half), 1)), 1e-9)


def _clocked(engine: Engine, tokens: Tokens) -> tuple[Floats, float]:
    began = time.perf_counter()
    return engine.classify(tokens), time.perf_counter() - began
