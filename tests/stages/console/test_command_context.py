"""Errors become one message and an exit status; the result alone goes to stdout."""

import errno
import json
import signal
import sys
from collections.abc import Iterator

import pytest
import typer

from stages.console.command_context import edge, finish
from stages.results.stage_result import Record
from storage.errors import StoreError
from transfer.errors import UserError

PLAN = ["moodline", "run", "my plan.yaml", "--anew", "search", "--anew=label"]


@pytest.fixture(autouse=True)
def _as_called(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "argv", PLAN)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("plan.yaml:3: wrong", "do this"), "moodline: plan.yaml:3: wrong\n  do this\n"),
        (StoreError("store: full"), "moodline: store: full\n"),
        (OSError(errno.ENOSPC, "No space left", "/w/a"), "/w/a: No space left\n  make room, then go on with: moodline"),
        (OSError(errno.EACCES, "Permission denied", "/w/a"), "/w/a: Permission denied\n  go on with: moodline"),
        (KeyError("x"), "KeyError: 'x'\n  this is a bug in moodline; --debug shows where"),
    ],
)
def test_an_error_is_one_message_on_stderr_and_exit_status_1(
    capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    with pytest.raises(typer.Exit) as caught, edge(as_json=False, debug=False):
        raise error
    shown = capsys.readouterr()
    assert caught.value.exit_code == 1
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_with_json_an_error_is_one_object_on_stdout_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), edge(as_json=True, debug=False):
        raise UserError("wrong")
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"error": "wrong"}
    assert shown.err == "moodline: wrong\n"


def test_an_interrupt_exits_with_130_and_names_the_command_that_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, edge(as_json=False, debug=False):
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capsys.readouterr().err.endswith("Go on with:\n  moodline run 'my plan.yaml'\n")


def test_with_debug_the_error_itself_is_raised() -> None:
    with pytest.raises(UserError), edge(as_json=False, debug=True):
        raise UserError("wrong")


class Answer(Record):
    text: str


def test_what_libraries_print_is_kept_from_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with edge(as_json=True, debug=False):
        print("a library")
        finish(Answer(text="답"), lambda _: None)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ('{"text": "답"}\n', "a library\n")
