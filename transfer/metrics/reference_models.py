"""Baselines that a result must beat: the majority class, and TF-IDF with logistic regression."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Predictor = Callable[[Sequence[str]], NDArray[np.float32]]


def majority(truth: NDArray[np.int64], n_labels: int) -> Predictor:
    """Predicts the class shares of the training data for every text: (N, K), rows sum to 1."""
    shares = (np.bincount(truth, minlength=n_labels) / len(truth)).astype(np.float32)
    return lambda texts: np.tile(shares, (len(texts), 1))


def tfidf(texts: Sequence[str], truth: NDArray[np.int64], n_labels: int) -> Predictor:
    """Word 1–2-grams and character 1–4-grams within words, TF-IDF weighted, into a logistic regression.

    truth: (N,) labels in [0, n_labels), of at least two classes. Predictions are (N, K), rows sum to 1;
    a label that never occurs in training gets probability 0. scikit-learn's defaults but for words (all that stands
    between spaces: emoji are words), sublinear counts, a minimum of two documents a term (one where texts are few),
    C = 3, more iterations and balanced classes. Raises ValueError where there is only one class.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    least = 2 if len(texts) >= 200 else 1
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=least, sublinear_tf=True, token_pattern=r"(?u)\S+")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=least, sublinear_tf=True)
    model = make_pipeline(
        make_union(words, characters), LogisticRegression(C=3.0, max_iter=300, class_weight="balanced")
    )
    model.fit(list(texts), truth)
    seen = model.classes_

    def predict(unseen: Sequence[str]) -> NDArray[np.float32]:
        probabilities = np.zeros((len(unseen), n_labels), dtype=np.float32)
        probabilities[:, seen] = model.predict_proba(list(unseen))
        return probabilities

    return predict
