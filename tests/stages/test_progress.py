import pytest

from stages.progress import Terminal, _plain_line


def test_without_a_terminal_progress_is_plain_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().bar("classifying", 10, "comments") as advance:
        advance(10)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("classifying: 10 of 10 comments, ")


def test_a_line_has_a_rate_and_a_time_to_go() -> None:
    assert _plain_line("x", 25, 100, "texts", 5.0) == "x: 25 of 100 texts, 5/s, 15 s to go"
    assert _plain_line("x", 25, None, "texts", 5.0) == "x: 25 texts, 5/s"


def test_markup_in_a_name_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("study [bold]x[/bold]")
    assert "[bold]x[/bold]" in capsys.readouterr().err
