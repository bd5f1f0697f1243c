"""What stage two begins with, and refuses to begin with."""

from pathlib import Path

import pytest

from stages.further.further_inputs import further_inputs
from tests.helpers.searched_project import opened
from transfer.errors import UserError, UserErrors

pytestmark = pytest.mark.usefixtures("one_thread")


def test_more_starts_than_trials_are_kept_are_reported(searched: Path) -> None:
    with pytest.raises(UserError, match=r"further\.space\.start: 3 is more than the 2 kept trials of models/bert"):
        further_inputs(opened(searched, "further.space.start={low: 1, high: 3}"))
    with pytest.raises(UserErrors) as caught:
        opened(searched, "further.space.start={low: 1, high: 4}")
    assert "start 4 is more than the 3 trials whose weights stage one keeps" in caught.value.problems[0]
