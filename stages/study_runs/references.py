"""The models that every trained one is compared with."""

from transfer.corpus.splits import Original
from transfer.metrics.reference_models import Predictor, majority, tfidf


def references(original: Original, labels: list[str]) -> dict[str, Predictor]:
    """The majority class, and TF-IDF with logistic regression, fitted on the original training data."""
    train = original.train
    return {
        "majority class": majority(train.labels, len(labels)),
        "TF-IDF + logistic regression": tfidf(train.texts, train.labels, len(labels)),
    }
