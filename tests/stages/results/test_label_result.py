"""A result of labelling keeps the keys of `--json` that it always had, and reads what 0.1.0 stored."""

from stages.results.label_result import LabelResult
from tests.helpers.stored_label_result import STORED

EVALUATED = ("intervals", "gold_n", "gold_is_weighted", "per_class", "confusion", "reliability", "unknown_confidence")


def test_what_0_1_0_stored_is_read_and_given_out_again_as_it_was() -> None:
    printed = LabelResult.model_validate(STORED).as_json()
    assert printed.pop("schema_version") == 1
    assert printed.pop("stopped") is None
    assert printed == STORED
    assert LabelResult.model_validate(printed) == LabelResult.model_validate(STORED)


def test_without_gold_the_documented_keys_are_null_and_the_others_absent() -> None:
    without = {name: value for name, value in STORED.items() if name not in EVALUATED}
    without |= dict.fromkeys(("accuracy", "macro_f1", "kappa", "calibration", "calibrated"))
    result = LabelResult.model_validate(without)
    assert (result.evaluation, result.kappa, result.calibration) == (None, None, None)
    printed = result.as_json()
    assert not set(EVALUATED) & set(printed)
    assert [printed[name] for name in ("accuracy", "macro_f1", "kappa", "calibration", "calibrated")] == [None] * 5


def test_calibration_is_ready_to_be_applied_and_as_fingerprints_have_it() -> None:
    calibration = LabelResult.model_validate(STORED).calibration
    assert calibration is not None
    assert calibration.as_dict() == STORED["calibration"]
