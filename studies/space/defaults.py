"""The parameters that a space may vary, their bounds, and the spaces that a plan has by default."""

from studies.space.dimensions import Choices, Dimension, Range

# Stage two's own.
MIXING = (
    *("confidence_by", "replay"),
    *("pseudo_share", "pseudo_weight", "confidence", "label_softness", "label_temperature", "rebalance"),
    "start",
)
# What each parameter takes: names, or numbers within the bounds in which it makes sense.
EVERY_NAME: dict[str, tuple[str, ...]] = {
    "class_weighting": ("none", "balanced"),
    "method": ("full", "lora"),
    "lora_targets": ("attention", "all"),
    "loss": ("cross_entropy", "generalised", "symmetric", "bootstrap"),
    "confidence_by": ("overall", "label"),
    "replay": ("fixed", "fresh"),
}
EVERY_INT: dict[str, tuple[float, float]] = {
    "batch_size": (1, 4096),
    "epochs": (1, 1000),
    "max_length": (4, 8192),
    "frozen_layers": (0, 200),
    "lora_rank": (1, 1024),
    "start": (1, 100),
}
EVERY_NUMBER: dict[str, tuple[float, float]] = EVERY_INT | {
    "learning_rate": (1e-8, 1.0),
    "weight_decay": (0.0, 1.0),
    "warmup_share": (0.0, 0.9),
    "dropout": (0.0, 0.9),
    "label_smoothing": (0.0, 0.9),
    "layer_decay": (0.1, 1.0),
    "loss_q": (0.01, 1.0),
    "anchor": (0.0, 100.0),
    "pseudo_share": (0.0, 1.0),
    "pseudo_weight": (0.0, 100.0),
    "confidence": (0.0, 1.0),
    "label_softness": (0.0, 1.0),
    "label_temperature": (0.05, 20.0),
    "rebalance": (0.0, 1.0),
}


def default_space(layers: int) -> dict[str, Dimension]:
    """What a practitioner would vary in fine-tuning an encoder of so many layers.

    Around the recipes of BERT (Devlin et al., 2019), RoBERTa (Liu et al., 2019) and ELECTRA (Clark et al., 2020);
    the rate reaches further up, for small encoders want more.
    """
    return {
        "learning_rate": Range(low=1e-5, high=3e-4, log=True),
        "batch_size": Choices(choices=[16, 32, 64]),
        "epochs": Range(low=2, high=5),
        "weight_decay": Range(low=0.0, high=0.1),
        "warmup_share": Range(low=0.0, high=0.2),
        "dropout": Range(low=0.0, high=0.3),
        "label_smoothing": Range(low=0.0, high=0.15),
        "class_weighting": Choices(choices=["none", "balanced"]),
        "max_length": Choices(choices=[64, 128]),
        "frozen_layers": Range(low=0, high=max(layers // 2, 1)),
        "layer_decay": Range(low=0.75, high=1.0),
    }


def default_mixing() -> dict[str, Dimension]:
    """What stage two varies in addition to the recipe: which pseudo-labels, how many, and how soft.

    The others are there to be asked for: ten trials are few for fourteen parameters.
    """
    return {
        "pseudo_share": Range(low=0.3, high=0.9),
        "confidence": Range(low=0.0, high=0.7),
        "label_softness": Range(low=0.0, high=1.0),
    }
