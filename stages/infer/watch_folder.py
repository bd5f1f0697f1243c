"""Following a folder: whatever comments come are classified soon after, until someone stops it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.plan.duration import shown
from stages.runtime.run_context import Run
from stages.session import lead_stage
from transfer.errors import UserError

if TYPE_CHECKING:
    from stages.infer.run_infer import Start

Listing = Mapping[str, tuple[int, int]]  # size and time of change of each file


def infer_command(
    plan: Path, overrides: Sequence[str], anew: str | None, follows: bool, on: str | None = None
) -> dict[str, Any]:
    """What `moodline infer` does. follows: goes on until interrupted. on: "ray" for a cluster of that kind."""
    if on is not None:
        from stages.infer.ray_joining import require_ray

        require_ray()
    result: dict[str, Any] = lead_stage(plan, overrides, "infer", anew, does=partial(_infer, follows=follows, on=on))
    return result


def _infer(run: Run, follows: bool, on: str | None) -> dict[str, Any]:
    from stages.infer.run_infer import run_infer

    with _start(on) as start:
        infer = partial(run_infer, start=start)
        told: dict[str, Any] = follow(run, infer) if follows else infer(run)
    return told


@contextmanager
def _start(on: str | None) -> "Iterator[Start | None]":
    """What run_infer starts, while the block lasts; None for its default."""
    if on is None:
        yield None
        return
    from stages.infer.ray_executor import OnRay

    with OnRay() as cluster:
        yield cluster.start


def follow(run: Run, infer: Callable[[Run], dict[str, Any]], sleep: Callable[[float], None] = time.sleep) -> Any:
    """Classifies what is new whenever a comment file came, grew or changed; looks every `infer.follow_every`.

    A file is left alone until it stayed the same between two looks, for it may still be written. UserErrors with the
    comments are said, and looked at again when files change. Ends with KeyboardInterrupt alone.
    """
    every = run.plan.infer.follow_every
    run.report.message(f"following {len(run.plan.comments)} sources, every {shown(every)}; Ctrl-C ends it")
    done: Listing | None = None
    before = listing(run)
    while True:
        if before and before != done:
            done = before
            _once(run, infer)
        sleep(60 * every)
        now = listing(run)
        if now != before:  # something is being written
            before = now
            sleep(60 * every)
            before = listing(run)


def _once(run: Run, infer: Callable[[Run], dict[str, Any]]) -> None:
    try:
        told = infer(run)
    except UserError as problem:
        run.report.message(str(problem))
        return
    run.report.message(f"{told['rows']:,} comments are classified, {told['unique']:,} different texts")


def listing(run: Run) -> Listing:
    """Size and time of change of each comment file there is."""
    from transfer.tables.sources import source_files

    found = {}
    for i, source in enumerate(run.plan.comments):
        try:
            files = source_files(source, run.plan.base, f"comments[{i}]")
        except UserError:  # none is there yet
            continue
        for file in files:
            with suppress(FileNotFoundError):  # it went away a moment ago
                facts = file.stat()
                found[str(file)] = (facts.st_size, facts.st_mtime_ns)
    return found
