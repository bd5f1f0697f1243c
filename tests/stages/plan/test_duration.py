import pytest

from stages.plan.duration import minutes, shown


@pytest.mark.parametrize(
    ("written", "meant"),
    [("8h", 480), ("90m", 90), ("1h30m", 90), ("1 h 30 m", 90), ("30s", 0.5), ("2d", 2880), (5, 5)],
)
def test_times_are_read_as_people_write_them(written: object, meant: float) -> None:
    assert minutes(written) == meant


@pytest.mark.parametrize("written", ["8h", "90s", "1h30m", "45m", "0.5s", "49h"])
def test_times_are_shown_as_they_are_read(written: str) -> None:
    assert minutes(shown(minutes(written))) == minutes(written)


@pytest.mark.parametrize("wrong", ["8", "8 hours", "h", "", "-1h", 0, -3, True, None, float("inf"), [1], "0m"])
def test_what_is_no_time_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="a length of time is written 8h"):
        minutes(wrong)
