"""Several answers as one: a mean where confidence is known, a vote where it is not, and nothing made up."""

import pytest

from transfer.labellers.labeller import Answer, mean_answer


def sure(*probabilities: float) -> Answer:
    return Answer(probabilities, probabilities.index(max(probabilities)), None, 10, 1)


def bare(label: int | None) -> Answer:
    return Answer(None, label, "word", 10, 1)


def test_distributions_are_averaged_with_equal_weights() -> None:
    found, agreement = mean_answer([sure(0.6, 0.4, 0.0), sure(0.1, 0.7, 0.2), sure(0.5, 0.3, 0.2)], 3)
    assert found.probabilities == pytest.approx((0.4, 1.4 / 3, 0.4 / 3))
    assert found.label == 1
    assert agreement == pytest.approx(1 / 3)
    assert (found.tokens, found.written) == (30, 3)


def test_where_one_confidence_is_unknown_so_is_that_of_all_and_labels_are_voted_on() -> None:
    found, agreement = mean_answer([sure(0.9, 0.1, 0.0), bare(1), bare(1)], 3)
    assert (found.probabilities, found.label) == (None, 1)
    assert agreement == pytest.approx(2 / 3)


def test_a_tie_goes_to_the_likelier_label_then_to_the_one_named_first() -> None:
    assert mean_answer([sure(0.1, 0.3, 0.6), bare(1)], 3)[0].label == 2
    assert mean_answer([bare(2), bare(1)], 3)[0].label == 1


def test_answers_without_a_label_are_left_out() -> None:
    found, agreement = mean_answer([sure(0.2, 0.8), bare(None)], 2)
    assert (found.probabilities, found.label, agreement) == ((0.2, 0.8), 1, None)
    assert mean_answer([bare(None), bare(None)], 2) == (Answer(None, None, None, 20), None)


def test_full_agreement_is_one() -> None:
    assert mean_answer([sure(0.4, 0.6), sure(0.1, 0.9)], 2)[1] == 1
