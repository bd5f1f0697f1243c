"""Problems are worded for the user: the place first, details below it, several of them numbered."""

import pytest

from transfer.errors import UserError, UserErrors, first_line, raise_all


def test_details_stand_indented_below_the_first_line() -> None:
    assert str(UserError("plan.yaml:7: no column 'time'", "its columns: id", "add it")) == (
        "plan.yaml:7: no column 'time'\n  its columns: id\n  add it"
    )


def test_several_problems_are_numbered_with_their_details() -> None:
    error = UserErrors("2 problems in the plan", [UserError("first", "more of it"), "second"])
    assert str(error) == "2 problems in the plan\n  1. first\n       more of it\n  2. second"
    assert error.problems == ["first\n  more of it", "second"]


def test_one_problem_is_raised_as_it_is_and_none_raises_nothing() -> None:
    raise_all("problems", [])
    alone = UserError("alone")
    with pytest.raises(UserError) as caught:
        raise_all("problems", [alone])
    assert caught.value is alone
    with pytest.raises(UserErrors, match=r"problems\n  1\. alone"):
        raise_all("problems", [alone, alone])


def test_an_errors_first_line_is_short_and_never_empty() -> None:
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(ValueError("")) == "ValueError"
    assert first_line(ValueError("x" * 500), most=10) == "x" * 10
