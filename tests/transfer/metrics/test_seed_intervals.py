import math

import numpy as np
import pytest

from transfer.metrics.seed_intervals import pooled_intervals


def test_the_interval_is_that_of_a_t_test_where_there_is_one_recipe() -> None:
    from scipy import stats

    values = [0.61, 0.66, 0.64, 0.70]
    [(mean, low, high)] = pooled_intervals([values])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean == pytest.approx(np.mean(values))
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_recipes_share_their_scatter() -> None:
    # s² = (2 · 0.01² + 2 · 0.03²) / 2 = 0.001, t(0.975; 2) = 4.3027
    (_, low, high), (_, low2, high2) = pooled_intervals([[0.5, 0.52], [0.6, 0.66]])
    reach = 4.302652729911275 * math.sqrt(0.001 / 2)
    assert (low, high) == pytest.approx((0.51 - reach, 0.51 + reach))
    assert (low2, high2) == pytest.approx((0.63 - reach, 0.63 + reach))


def test_the_true_mean_lies_within_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        runs = rng.normal(0.7, 0.02, (2, 3))
        inside += sum(low <= 0.7 <= high for _, low, high in pooled_intervals(runs.tolist()) if low and high)
    assert inside / 4000 == pytest.approx(0.95, abs=0.012)


def test_one_run_has_a_mean_and_no_interval() -> None:
    assert pooled_intervals([[0.5], [0.7]]) == [(0.5, None, None), (0.7, None, None)]
    assert pooled_intervals([]) == []
    with pytest.raises(ValueError, match="without a run"):
        pooled_intervals([[]])
