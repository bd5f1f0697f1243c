"""Watches the comment files: what is new is classified soon after it came, until someone stops it."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

from stages.plan.duration import shown
from stages.results.infer_result import InferResult
from stages.runtime.run_context import Run
from transfer.errors import UserError
from transfer.tables.sources import source_files

Infer = Callable[[Run], InferResult]
Listing = Mapping[str, tuple[int, int]]  # size and time of change of each file


def follow(run: Run, infer: Infer, sleep: Callable[[float], None] = time.sleep) -> NoReturn:
    """Classifies what is new whenever a comment file came, grew or changed; looks every `infer.follow_every`.

    A file is left alone until it stayed the same between two looks, for it may still be written. UserErrors with the
    comments are reported, and the files are read again when they change. Only KeyboardInterrupt ends it.
    """
    every = run.plan.infer.follow_every
    run.report.message(f"following {len(run.plan.comments)} sources, every {shown(every)}; Ctrl-C ends it")
    classified: Listing | None = None
    before = listing(run)
    while True:
        if before and before != classified:
            classified = before
            _classify_and_report(run, infer)
        sleep(60 * every)
        now = listing(run)
        if now != before:  # something is being written
            before = now
            sleep(60 * every)
            before = listing(run)


def _classify_and_report(run: Run, infer: Infer) -> None:
    try:
        result = infer(run)
    except UserError as problem:
        run.report.message(str(problem))
        return
    run.report.message(f"{result.rows:,} comments are classified, {result.unique:,} different texts")


def listing(run: Run) -> Listing:
    """Size and time of change of each comment file there is."""
    found = {}
    for i, source in enumerate(run.plan.comments):
        try:
            files = source_files(source, run.plan.base, f"comments[{i}]")
        except UserError:  # none is there yet
            continue
        for file in files:
            with suppress(FileNotFoundError):  # deleted a moment ago
                facts = file.stat()
                found[str(file)] = (facts.st_size, facts.st_mtime_ns)
    return found
