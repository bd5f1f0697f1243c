"""Comments whose true label people gave, beside what the model says of them; and which corrections they allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.monitor.report.messages import METHODS, USUAL_REASONS, Both
from stages.monitor.schema.index_settings import IndexSettings, Method

COUNTED: tuple[Method, ...] = ("raw", "means")  # need no judged rows
ADJUSTED: tuple[Method, ...] = ("acc", "pacc", "em")  # need each label


@dataclass(frozen=True, eq=False)
class GoldPredictions:
    """Rows that trained nothing.

    kind: gold's report half, or the original validation split. truth: (N,) int64 in [0, K). probabilities: (N, K) of
    the predictor that classified the comments. weights: (N,), 1 / inclusion probability, all 1 where unknown.
    is_random: whether each comment could come into the sample, with a probability that is known up to a factor.
    """

    kind: Literal["gold", "validation"]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_random: bool

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class MethodChoice:
    """drawn: the estimate drawn bold. methods: all that can be given, in a fixed order. why: the reason, to be shown.
    rows: judged rows behind the corrections, by label."""

    drawn: Method
    methods: tuple[Method, ...]
    why: Both
    rows: dict[str, int]


def choose(settings: IndexSettings, judged: GoldPredictions | None, labels: Sequence[str]) -> MethodChoice:
    """Which estimates the judged rows allow, and which is drawn bold: the plan's, or raw where it cannot be given."""
    counts = [0] * len(labels) if judged is None else np.bincount(judged.truth, minlength=len(labels)).tolist()
    rows = dict(zip(labels, counts, strict=True))
    methods = list(COUNTED)
    if min(counts) >= settings.min_gold:
        methods += ADJUSTED
    if judged is not None and judged.is_random and len(judged) >= settings.min_gold * len(labels):
        methods.append("ppi")
    wanted = settings.prevalence
    drawn = wanted if wanted in methods else "raw"
    return MethodChoice(drawn, tuple(methods), _why(settings, judged, rows, drawn), rows)


def _why(settings: IndexSettings, judged: GoldPredictions | None, rows: dict[str, int], drawn: Method) -> Both:
    wanted = settings.prevalence
    if drawn == wanted:
        english, korean = METHODS[drawn]
        reason = settings.prevalence_reason
        because = (reason, reason) if reason is not None else USUAL_REASONS[drawn]
        return (
            f"Drawn bold: {english} (index.prevalence: {drawn}). Why: {because[0]}",
            f"굵은 선: {korean} (index.prevalence: {drawn}). 까닭: {because[1]}",
        )
    name = f"index.prevalence: {wanted}"
    if judged is None:
        return (
            f"Drawn as counted, not corrected: {name} needs gold, and the plan has none.",
            f"보정하지 않고 센 그대로 그렸습니다: {name}에는 골드가 필요한데 계획에 없습니다.",
        )
    if wanted == "ppi" and not judged.is_random:
        return (
            f"Drawn as counted, not corrected: {name} needs gold drawn at random with known probabilities "
            "(gold.weight or gold.random_sample).",
            f"보정하지 않고 센 그대로 그렸습니다: {name}에는 추출 확률을 아는 무작위 골드가 "
            "필요합니다(gold.weight 또는 gold.random_sample).",
        )
    few = min(rows, key=lambda label: rows[label])
    return (
        f"Drawn as counted, not corrected: {name} needs {settings.min_gold} judged rows of each label, and there are "
        f"{rows[few]} of '{few}'.",
        f"보정하지 않고 센 그대로 그렸습니다: {name}에는 라벨마다 판정된 댓글 {settings.min_gold}개가 필요한데 "
        f"'{few}'은(는) {rows[few]}개뿐입니다.",
    )
