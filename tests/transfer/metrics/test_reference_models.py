"""What a model must beat: the majority class, and TF-IDF with logistic regression."""

import numpy as np
import pytest

from tests.helpers.tiny_encoders import easy_texts
from transfer.metrics.reference_models import majority, tfidf


def test_the_majority_class_is_predicted_with_the_shares_of_training() -> None:
    predict = majority(np.array([2, 2, 2, 0]), 4)
    np.testing.assert_allclose(predict(["a", "b"]), [[0.25, 0, 0.75, 0]] * 2)
    assert predict([]).shape == (0, 4)


@pytest.mark.parametrize("n", [30, 300])  # below and above the number where rare terms are left out
def test_tfidf_learns_an_easy_task(n: int) -> None:
    texts, truth = easy_texts(n, 0)
    unseen, expected = easy_texts(100, 5)
    probabilities = tfidf(texts, truth, 3)(unseen)
    assert probabilities.shape == (100, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert (probabilities.argmax(axis=1) == expected).mean() > 0.9


def test_labels_without_training_texts_get_nothing_and_the_others_keep_their_columns() -> None:
    predict = tfidf(["좋아 😀", "행복 😀", "슬퍼 😢", "눈물 😢"], np.array([3, 3, 1, 1]), 5)
    probabilities = predict(["😀", "😢", "unseen words only"])
    assert probabilities.argmax(axis=1).tolist()[:2] == [3, 1]  # emoji are words
    assert not probabilities[:, [0, 2, 4]].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="class"):
        tfidf(["a", "b"], np.array([1, 1]), 3)
