"""Stages on the command line: by today's names and by those of 0.1.0."""

import pytest
import typer

from stages.console.options import _one_of


@pytest.mark.parametrize(("given", "stage"), [("search", "search"), ("basic", "search"), ("pseudo_label", "label")])
def test_a_stage_is_known_by_its_name_and_by_that_of_0_1_0(given: str, stage: str) -> None:
    assert _one_of("search", "label")(given) == stage


@pytest.mark.parametrize("given", ["infer", "serach", "pseudo_label"])
def test_another_name_is_refused_with_those_there_are(given: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"'{given}' is not one of 'search', 'further'"):
        _one_of("search", "further")(given)
