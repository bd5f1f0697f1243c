"""Keys that a pipe holds: one at a time, unknown ones asked for again, and the end of them quits."""

import io
import os

import pytest

from stages.annotation import key_input
from stages.annotation.annotate import QUIT
from stages.annotation.key_input import TerminalKeyboard


@pytest.fixture
def keyboard() -> TerminalKeyboard:
    return TerminalKeyboard({"1": "joy", "2": "anger"})


def _pipe(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))


def test_keys_come_one_by_one_without_case_and_white_space(
    keyboard: TerminalKeyboard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pipe(monkeypatch, "1\n \n2U")
    assert [keyboard.ask("text", i, 9, None) for i in range(4)] == ["1", "2", "u", QUIT]
    assert "no such key" not in capsys.readouterr().err


def test_an_unknown_key_is_named_and_the_next_one_counts(
    keyboard: TerminalKeyboard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pipe(monkeypatch, "7x2")
    assert keyboard.ask("so happy", 2, 9, "anger") == "2"
    shown = capsys.readouterr()
    assert "no such key: '7'\nno such key: 'x'\n" in shown.err
    assert "3 of 9   (before: anger)\n\n  so happy\n" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(("given", "key"), [(b"1", "1"), ("ㅕ".encode(), "ㅕ"), (b"\x04", QUIT), (b"", QUIT)])
def test_a_whole_character_is_read_and_the_end_quits(given: bytes, key: str) -> None:
    out, into = os.pipe()
    os.write(into, given + b"rest" * bool(given))
    os.close(into)
    try:
        assert key_input._character(out) == key
    finally:
        os.close(out)


def test_a_korean_keyboard_is_understood(keyboard: TerminalKeyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    pressed = iter("ㅕㄴㅂ")
    monkeypatch.setattr(key_input, "_pressed", lambda: next(pressed))
    assert [keyboard.ask("text", 0, 1, None) for _ in range(3)] == ["u", "s", "q"]
