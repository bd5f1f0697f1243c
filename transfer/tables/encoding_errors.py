"""Text files opened in the encoding the plan names, and the message where it is another one."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from transfer.errors import UserError

CHUNK = 1 << 20
# What Korean spreadsheets and Windows programs write, the strictest first: cp1252 reads nearly anything.
GUESSES = (("utf-8", "the default"), ("cp949", "Korean Windows"), ("cp1252", "Western European Windows"))


@contextmanager
def open_text(
    path: Path, encoding: str | None, where: str, name: str, *, keeps_undecodable: bool = False
) -> Iterator[TextIO]:
    """The file as text, its line ends untouched; a byte order mark is skipped.

    encoding: None is UTF-8. name: the file in messages. Raises UserError where a byte does not fit, naming the byte,
    its offset, its line and the encoding that the file reads in; and where the file is empty or cannot be opened.
    keeps_undecodable: bytes that do not fit come as lone surrogates (errors="surrogateescape"), unless so many lines of
    the file's beginning hold some that it is of another encoding.
    """
    codec = codecs.lookup(encoding or "utf-8").name
    errors = "surrogateescape" if keeps_undecodable else "strict"
    try:
        if path.stat().st_size == 0:
            raise UserError(f"{where}.path: {name} is empty (0 bytes)")
        if keeps_undecodable and _is_another(path, codec):
            raise wrong_encoding(path, encoding, where, name)
        with path.open(encoding="utf-8-sig" if codec == "utf-8" else codec, newline="", errors=errors) as file:
            yield file
    except UnicodeError as error:
        raise wrong_encoding(path, encoding, where, name) from error
    except OSError as error:
        raise UserError(f"{where}.path: {name} cannot be read: {error.strerror}") from error


def _is_another(path: Path, codec: str) -> bool:
    """Whether in the file's first MiB every fifth line does not decode, and most lines beyond ASCII do not."""
    if codec.startswith(("utf-16", "utf-32")):  # their lines do not end in a byte of their own
        return False
    with path.open("rb") as file:
        lines = file.read(CHUNK).splitlines()
    lines = lines[: max(1, len(lines) - 1)]  # the last may be cut
    beyond_ascii = [line for line in lines if not line.isascii()]
    wrong = sum(not _fits(line, codec) for line in beyond_ascii)
    return wrong * 5 > len(lines) and wrong * 2 > len(beyond_ascii)


def _fits(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeError:
        return False
    return True


def wrong_encoding(path: Path, encoding: str | None, where: str, name: str) -> UserError:
    """The message on a file in another encoding: the first byte that does not fit, and what the file reads as."""
    codec = codecs.lookup(encoding or "utf-8").name
    offset, line, byte = _first_wrong_byte(path, codec)
    return UserError(
        f"{where}.encoding: {name} is not {encoding or 'UTF-8'}: byte 0x{byte:02x} at offset {offset} (line {line})",
        *_guess(path, codec, offset, line),
    )


def _first_wrong_byte(path: Path, codec: str) -> tuple[int, int, int]:
    """Offset in bytes, line (from 1) and value of the first byte that does not decode; the first byte where all do."""
    decoder = codecs.getincrementaldecoder(codec)()
    before, line = 0, 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            held = len(decoder.getstate()[0])  # bytes of a character that the last chunk cut
            try:
                line += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].decode(codec, "ignore").count("\n")
                return before - held + error.start, line, error.object[error.start]
            except UnicodeError:  # UTF-16 without its mark
                break
            before += len(chunk)
        file.seek(0)
        return 0, 1, file.read(1)[0]


def _guess(path: Path, codec: str, offset: int, line: int) -> list[str]:
    with path.open("rb") as file:
        start = file.read(1000)
    if codec != "utf-16" and (start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in start):
        return ["it begins like UTF-16: set `encoding: utf-16` for this source"]
    for guess, whose in GUESSES:
        # Nearly all bytes are letters in cp1252, so it is believed only of a file that was plain ASCII so far.
        with path.open("rb") as file:
            chunks = (file.read(min(CHUNK, offset - at)) for at in range(0, offset, CHUNK))
            is_believable = guess != "cp1252" or all(chunk.isascii() for chunk in chunks)
        if guess != codec and is_believable and _decodes(path, guess):
            advice = "leave `encoding` out" if guess == "utf-8" else f"set `encoding: {guess}` for this source"
            return [f"it reads as {guess} ({whose}): {advice}", f"line {line} is then: {_line(path, guess, offset)}"]
    return ["set `encoding` to that of the program that wrote it, or save it as UTF-8"]


def _decodes(path: Path, codec: str) -> bool:
    with path.open(encoding=codec, newline="") as file:
        try:
            while file.read(CHUNK):
                pass
        except UnicodeDecodeError:
            return False
    return True


def _line(path: Path, codec: str, offset: int) -> str:
    """What stands around a byte of a file, from the start of its line where that is near; up to 60 characters."""
    with path.open("rb") as file:
        file.seek(max(0, offset - 200))
        before = file.read(min(offset, 200))
        after = file.read(200)
    return (before.rpartition(b"\n")[2] + after).decode(codec, "replace").splitlines()[0][:60]
