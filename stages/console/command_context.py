"""The context of every command: prints its result, and turns errors into a message and an exit status."""

import contextlib
import errno
import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

Shown = TypeVar("Shown", bound="BaseModel | Mapping[str, Any]")
_results: list[TextIO] = []  # stdout as it was when the command began


@contextlib.contextmanager
def edge(as_json: bool, debug: bool) -> Iterator[None]:
    """The whole of a command runs in this block. Exit status: 1 for what the user can fix, 130 interrupted."""
    from storage.errors import StoreError
    from transfer.errors import UserError

    signal.signal(signal.SIGTERM, _interrupt)
    _results.append(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # libraries print there; stdout is for the result
            yield
    except (UserError, StoreError) as error:
        if debug:
            raise
        _fail(str(error), as_json)
    except KeyboardInterrupt:
        print(f"\ninterrupted; nothing finished is lost. Go on with:\n  {_command()}", file=sys.stderr)
        raise typer.Exit(130) from None
    except OSError as error:
        if debug:
            raise
        first = "make room, then " if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
        what = f"{error.filename or 'the system'}: {error.strerror or error}"
        _fail(f"{what}\n  {first}go on with: {_command()}", as_json)
    except Exception as error:
        if debug or isinstance(error, typer.Exit | typer.Abort | typer.BadParameter):
            raise
        if type(error).__name__ in {"StorageInternalError", "OperationalError"}:
            _fail(f"the store could not be read or written: {error}\n  go on with: {_command()}", as_json)
        _fail(f"{type(error).__name__}: {error}\n  this is a bug in moodline; --debug shows where", as_json)


def finish(result: Shown, as_json: bool, show: Callable[[Shown], None]) -> None:
    """Prints a result, as JSON or for people, to the stdout that libraries are kept from."""
    with contextlib.redirect_stdout(_results[-1]):
        if as_json:
            printed = result.model_dump(mode="json") if not isinstance(result, Mapping) else result
            print(json.dumps(printed, ensure_ascii=False, allow_nan=False, default=str))
        else:
            show(result)


def _fail(message: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))
    print(f"moodline: {message}", file=sys.stderr)
    raise typer.Exit(1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _command() -> str:
    """The command as it was given, which resumes when it is run again; without --anew, which would start over."""
    words = [word for word in sys.argv[1:] if not word.startswith("--anew=")]
    while "--anew" in words:
        at = words.index("--anew")
        del words[at : at + 2]
    return shlex.join(["moodline", *words])
