"""Members' probabilities combine as the rules say, and stay distributions."""

import numpy as np
import pytest

from transfer.ensembling.combination import COMBINATIONS, Combination, combine

ONE = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
OTHER = np.array([[0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])


@pytest.mark.parametrize(
    ("how", "first", "second"),
    [
        ("mean", [0.35, 0.45, 0.2], [0.2, 0.55, 0.25]),
        ("product", [0.10 / 0.32, 0.18 / 0.32, 0.04 / 0.32], [0.03 / 0.31, 0.24 / 0.31, 0.04 / 0.31]),
        ("maximum", [0.5 / 1.3, 0.6 / 1.3, 0.2 / 1.3], [0.3 / 1.5, 0.8 / 1.5, 0.4 / 1.5]),
        ("minimum", [0.2 / 0.7, 0.3 / 0.7, 0.2 / 0.7], [0.1 / 0.5, 0.3 / 0.5, 0.1 / 0.5]),
    ],
)
def test_each_rule_gives_what_a_hand_computes(how: Combination, first: list[float], second: list[float]) -> None:
    mixed = combine([ONE, OTHER], how)
    np.testing.assert_allclose(mixed, [first, second], rtol=1e-6)
    assert mixed.dtype == np.float32


@pytest.mark.parametrize("how", COMBINATIONS)
def test_rows_sum_to_one_whatever_the_members(how: Combination) -> None:
    rng = np.random.default_rng(0)
    sharp = [rng.dirichlet(np.full(4, 0.02), 100).astype(np.float32) for _ in range(50)]
    against = [np.eye(2)[[0]], np.eye(2)[[1]]]
    for members in (sharp, against, [ONE]):
        mixed = combine(members, how)
        assert np.isfinite(mixed).all()
        assert (mixed >= 0).all()
        np.testing.assert_allclose(mixed.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("how", COMBINATIONS)
def test_one_member_is_left_as_it_is_and_order_does_not_matter(how: Combination) -> None:
    np.testing.assert_allclose(combine([ONE], how), ONE, rtol=1e-6)
    np.testing.assert_allclose(combine([ONE, OTHER, ONE], how), combine([OTHER, ONE, ONE], how), rtol=1e-6)


def test_a_product_of_fifty_members_does_not_underflow() -> None:
    member = np.array([[1e-9, 2e-9, 1 - 3e-9], [0.2, 0.3, 0.5]])
    mixed = combine([member] * 50, "product")
    assert mixed[0].argmax() == 2
    assert mixed[1, 1] / mixed[1, 2] == pytest.approx((0.3 / 0.5) ** 50, rel=1e-3)


def test_the_product_keeps_a_label_that_one_member_excludes_out_of_the_lead() -> None:
    assert combine([np.array([[0.6, 0.4]]), np.array([[0.0, 1.0]])], "product")[0].argmax() == 1


def test_no_members_are_refused() -> None:
    with pytest.raises(ValueError, match="no members"):
        combine([], "mean")
