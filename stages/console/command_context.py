"""What all commands share: --set, --json and --debug; a printed result; errors as a message and an exit status."""

import contextlib
import errno
import inspect
import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import typer

from stages.console.options import AsJson, Debug, Overrides, PlanFile
from stages.runtime.quiet_libraries import quiet_libraries

if TYPE_CHECKING:
    from stages.results.stage_result import Record

Shown = TypeVar("Shown", bound="Record")
Outcome = tuple[Any, Callable[[Any], None]] | None  # a result and how people read it; None where it is printed already
_outputs: list[tuple[TextIO, bool]] = []  # stdout as it was when the command began, and whether it asks for JSON
SHARED = [
    Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)
    for name, default, kind in (("overrides", [], Overrides), ("as_json", False, AsJson), ("debug", False, Debug))
]


def as_command(app: typer.Typer, *, quiet: bool = False) -> Callable[[Callable[..., Outcome]], Callable[..., None]]:
    """Makes a function a command of its name. One with a `plan` gets it with its overrides, as stages.session has it.

    quiet: for commands that load models: their libraries report nothing.
    """

    def register(function: Callable[..., Outcome]) -> Callable[..., None]:
        own = dict(inspect.signature(function).parameters)
        source = own["plan"].annotation if "plan" in own else None
        if source is not None:
            own["plan"] = own["plan"].replace(annotation=PlanFile)
        shared = [one for one in SHARED if one.name not in own and (source or one.name != "overrides")]

        def command(*, as_json: bool, debug: bool, **given: Any) -> None:
            with edge(as_json, debug):
                if quiet:
                    quiet_libraries()
                if source is not None:
                    given["plan"] = source(given["plan"], given.pop("overrides"))
                outcome = function(**given)
                if outcome is not None:
                    finish(*outcome)

        parameters = [*own.values(), *shared]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        command.__doc__ = function.__doc__
        return app.command(function.__name__)(command)

    return register


@contextlib.contextmanager
def edge(as_json: bool, debug: bool) -> Iterator[None]:
    """The whole of a command runs in this block. Exit status: 1 for what the user can fix, 130 interrupted."""
    from storage.errors import StoreError
    from transfer.errors import UserError

    signal.signal(signal.SIGTERM, _interrupt)
    _outputs.append((sys.stdout, as_json))
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


def finish(result: Shown, show: Callable[[Shown], None]) -> None:
    """Prints a result, as JSON or for people, to the stdout that libraries are kept from."""
    output, as_json = _outputs[-1]
    with contextlib.redirect_stdout(output):
        if as_json:
            print(json.dumps(result.printed(), ensure_ascii=False, allow_nan=False))
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
