"""How large the demo's world is. The default fits the whole demo into four minutes on two cores; tests take less."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Counts of rows, days and training steps, and the width of the models.

    original, comments, gold, diary: rows. days: length of the comments' line. vocabulary: tokens. hidden: width of
    the encoders and of the stand-in LLM, a multiple of 32. pretraining: steps of masked-language modelling for each
    encoder. schooling: steps of the stand-in LLM. batch: texts a step. sample: comments to pseudo-label.
    """

    original: int = 2_500
    comments: int = 12_000
    gold: int = 400
    days: int = 150
    diary: int = 7_000
    vocabulary: int = 2_000
    hidden: int = 64
    pretraining: int = 250
    schooling: int = 400
    batch: int = 64
    sample: int = 2_500


FULL = Size()
SMALL = Size(
    original=240,
    comments=900,
    gold=80,
    days=60,
    diary=240,
    vocabulary=600,
    hidden=32,
    pretraining=3,
    schooling=3,
    batch=16,
    sample=200,
)
