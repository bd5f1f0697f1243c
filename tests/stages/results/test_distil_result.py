"""The distillation's result, as 0.1.0 stored it."""

import json

from stages.results.distil_result import DistilResult
from tests.helpers.stored_results import ADDED, stored


def test_a_result_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    before = stored("distil")
    after = json.loads(json.dumps(DistilResult.model_validate(before).as_json()))
    assert after["winner"].pop("path") is None, "filled in when it is read"
    assert {name: value for name, value in after.items() if name not in ADDED} == before
    assert DistilResult.model_validate(after) == DistilResult.model_validate(before)
