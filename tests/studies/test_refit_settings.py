import pytest
from pydantic import ValidationError

from studies.refit_settings import RecheckSettings, SubsetSettings, check_recheck, recheck_of
from transfer.errors import UserError


def test_auto_looks_again_at_the_best_two_of_a_long_search_alone() -> None:
    assert recheck_of("auto", trials=19, keep=3) is None
    assert recheck_of("auto", trials=20, keep=3) == RecheckSettings(top=2, seeds=3)
    assert recheck_of("auto", trials=20, keep=1) == RecheckSettings(top=1, seeds=3)
    assert recheck_of("none", trials=200, keep=3) is None
    assert recheck_of(RecheckSettings(top=1, seeds=5), trials=2, keep=1) == RecheckSettings(top=1, seeds=5)


def test_only_trials_whose_weights_are_kept_are_looked_at_again() -> None:
    check_recheck(RecheckSettings(top=3), keep=3)
    with pytest.raises(ValueError, match=r"recheck\.top 4 is more than keep 3"):
        check_recheck(RecheckSettings(top=4), keep=3)


def test_a_subset_is_a_share_or_a_number_of_rows() -> None:
    assert SubsetSettings(share=0.2).size(1000) == 200
    assert SubsetSettings(rows=300).size(1000) == 300
    for wrong in ({}, {"share": 0.2, "rows": 300}):
        with pytest.raises(ValidationError, match="either a share or a number of rows"):
            SubsetSettings.model_validate(wrong)


def test_a_subset_of_all_rows_is_told_as_such() -> None:
    with pytest.raises(UserError, match="1,000 rows are no part of the 1,000 training rows"):
        SubsetSettings(rows=1000).size(1000)
