"""Labelling through a server: the time for 5,000 comments at 50 ms a request, and the cost of the server's faults.

    python -m benchmarks.label_server SERVER.py comments.csv
    python -m benchmarks.label_server SERVER.py comments.csv --fail 0.05 --limit 0.05 --slow 0.01 --malformed 0.03

SERVER.py: a stand-in for an OpenAI-compatible server that takes --port, --latency and the faults above, answers POST
/v1/chat/completions and reports at GET /stats what it served. comments.csv: columns id and text. All settings except
the address are the plan's defaults. The counts are compared with the store, and a second run must send no request.
"""

import argparse
import csv
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.label.run_label import run_label
from stages.plan.schema import read_plan
from stages.results.label_result import LabelResult
from stages.runtime.run_context import Run, open_run
from storage.records.pseudo_labels import labels_of
from transfer.labellers.server.answer_parsing import read_label, spellings

LABELS = ("anger", "sadness", "neutral", "happiness")
FAULTS = ("fail", "limit", "slow", "malformed")
PLAN = """
name: server
labels: [{labels}]
original: {{train: [{{path: original.csv}}]}}
comments: [{{path: {comments}, id: id}}]
candidates: [none]
pseudo_label:
  labeller: {{base_url: "http://127.0.0.1:{port}/v1", model: stand-in}}
  sample: {n}
  choose: random
  simulation: true
"""


def main() -> None:
    """Prints one JSON object."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder, serving(given) as port:
        run = _opened(Path(folder), given.comments.resolve(), port, given.n)
        began, cpu = time.monotonic(), time.process_time()
        result = run_label(run)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        served = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/stats").read())
        again = run_label(_changed(run))
        checked = _checked(run, result, again)
    shares = {name: getattr(given, name) for name in (*FAULTS, "latency")}
    counts = {name: getattr(result, name) for name in ("asked", "labelled", "missing")}
    rate = {"seconds": round(seconds, 1), "comments_per_second": round(result.asked / seconds, 1)}
    rate |= {"of_these_asking": round(result.usage[0].seconds, 1), "own_cpu_seconds": round(cpu, 1)}
    print(json.dumps({**shares, **counts, **rate, "served": served, **checked}, indent=2))


@contextmanager
def serving(given: argparse.Namespace) -> Iterator[int]:
    """The server in a process of its own, at a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = [f"--{name}={getattr(given, name)}" for name in (*FAULTS, "latency")]
    with subprocess.Popen(
        [sys.executable, str(given.server), f"--port={port}", *options], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()  # "listening on ..."
        try:
            yield port
        finally:
            server.terminate()


def _opened(folder: Path, comments: Path, port: int, n: int) -> Run:
    with (folder / "original.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(f"a text of the original data, number {i}", LABELS[i % 4]) for i in range(80)]
        csv.writer(file).writerows([("text", "label"), *rows])
    plan = folder / "plan.yaml"
    plan.write_text(PLAN.format(labels=", ".join(LABELS), comments=comments, port=port, n=n), encoding="utf-8")
    return open_run(read_plan(plan))


def _changed(run: Run) -> Run:
    """The run with a changed plan, for which the stage is done again with the same answers."""
    return open_run(read_plan(run.plan.file, ["pseudo_label.calibrate=none"]))


def _checked(run: Run, result: LabelResult, again: LabelResult) -> dict[str, Any]:
    """Counts from the store itself: comments without a label, and why."""
    rows = list(labels_of(run.engine, result.identity))
    none = [row for row in rows if row.label is None]
    spelled = spellings(LABELS, LABELS)
    assert len(rows) == result.asked == result.labelled + result.missing
    assert len(none) == result.missing
    assert all(read_label(line, spelled) is None for row in none for line in (row.raw or "").split("\n"))
    assert (again.asked, again.labelled, again.missing) == (0, result.labelled, result.missing)
    why = Counter("unanswered" if (row.raw or "").startswith("[no answer") else "twice no label" for row in none)
    return {"store_without_label": len(none), "why": dict(why), "asked_by_a_second_run": again.asked}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", type=Path)
    parser.add_argument("comments", type=Path)
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.05)
    for name in FAULTS:
        parser.add_argument(f"--{name}", type=float, default=0.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
