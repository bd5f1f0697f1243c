"""A person at a terminal, comment by comment; or the keys that a pipe holds."""

import os
import sys
from collections.abc import Mapping

from stages.annotation.annotate import QUIT, SKIP, UNDO

# what u, s and q write while a Korean keyboard is switched on
KOREAN = {"ㅕ": UNDO, "ㄴ": SKIP, "ㅂ": QUIT}
END = b"\x04"  # Ctrl-D


class TerminalKeyboard:
    """Shows comments on stderr and reads one key at a time from stdin, without Enter where that is a terminal."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._legend = "  ".join(f"[{key}] {label}" for key, label in keys.items())
        self._known = {*keys, UNDO, SKIP, QUIT}

    def ask(self, text: str, done: int, total: int, last: str | None) -> str:
        """See stages.annotation.annotate.Keyboard."""
        before = f"   (before: {last})" if last else ""
        print(f"\n{done + 1} of {total}{before}\n\n  {text}\n", file=sys.stderr)
        print(f"{self._legend}   [{SKIP}] pass over  [{UNDO}] undo  [{QUIT}] quit", file=sys.stderr, flush=True)
        while (key := _key()) not in self._known:
            print(f"no such key: {key!r}", file=sys.stderr, flush=True)
        return key


def _key() -> str:
    """One key in lower case; QUIT where the keys have come to an end."""
    if sys.stdin.isatty():
        key = _pressed()
        return KOREAN.get(key, key).lower()
    while character := sys.stdin.read(1):
        if not character.isspace():
            return character.lower()
    return QUIT


def _pressed() -> str:
    try:
        import termios
        import tty
    except ImportError:  # Windows
        import msvcrt

        return str(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        # cbreak and not raw: Ctrl-C stays an interrupt. Not flushed: keys that were pressed early count
        tty.setcbreak(terminal, termios.TCSANOW)
        return _character(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


def _character(terminal: int) -> str:
    """One whole character of UTF-8; its first byte gives the number of the others."""
    first = os.read(terminal, 1)
    if first in {b"", END}:
        return QUIT
    more = 3 if first >= b"\xf0" else 2 if first >= b"\xe0" else 1 if first >= b"\xc0" else 0
    return (first + b"".join(os.read(terminal, 1) for _ in range(more))).decode("utf-8", "replace")
