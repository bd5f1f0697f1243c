"""The estimate of a run's time counts every fine-tune, and grows with the data."""

import pytest

from stages.check import time_estimate
from stages.check.time_estimate import full_fits, seconds_by_stage
from stages.plan.plan_settings import SearchSettings
from stages.plan.schema import read_plan
from stages.results.check_result import CheckedEncoder
from tests.helpers.short_plan import SHORT, WriteIt

ENCODER = CheckedEncoder(candidate="a", architecture="bert", layers=2, parameters=2000, per_token=1000)


def test_refits_and_fresh_seeds_count_as_fits_on_all_rows() -> None:
    settings = SearchSettings.model_validate({"trials": 20, "subset": {"share": 0.4, "refit": 2}})
    assert full_fits(settings, share=0.4) == 20 * 0.4 + (2 + 1) + 2 * 3
    assert full_fits(SearchSettings.model_validate({"trials": 4, "recheck": "none", "seeds": 3}), share=1.0) == 12


def test_each_stage_takes_longer_with_more_of_what_it_reads(plan_at: WriteIt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_estimate, "_matrix_speed", lambda: 1e9)
    plan = read_plan(plan_at(SHORT))
    few = seconds_by_stage(plan, ["x" * 100] * 1000, 1.0, [ENCODER], comments=1000)
    many = seconds_by_stage(plan, ["x" * 100] * 2000, 1.0, [ENCODER], comments=3000)
    assert few.keys() == {"search", "further", "infer"}
    assert many["search"] == pytest.approx(2 * few["search"], rel=0.05)
    assert many["infer"] == pytest.approx(3 * few["infer"], rel=0.05)
    two = seconds_by_stage(plan, ["x" * 100] * 1000, 1.0, [ENCODER, ENCODER], comments=1000)
    assert two["search"] == pytest.approx(2 * few["search"], rel=0.05)
    assert two["further"] == few["further"]
