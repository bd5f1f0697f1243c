"""Peak memory of classifying few and many comments, with an engine that computes nothing: it must not grow with them.

    python -m benchmarks.infer_memory [--few 250000] [--many 3100000] [--labels 4] [--shard-rows 50000]

The comments are generated: all texts differ, except that one in eight is a copy of an earlier one. Each number of
comments is classified by a new process of its own. Prints rows a second, peak resident memory and the size of the
shards for both, and the ratio of the peaks.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

FILE_ROWS = 100_000
WORDS = np.array([f"word{i}" for i in range(5000)])
COPIES = 8  # one text in so many is a copy of an earlier one


def write_comments(folder: Path, rows: int, seed: int = 0) -> None:
    """Parquet files of generated comments, FILE_ROWS in each."""
    folder.mkdir(parents=True)
    rng, made = np.random.default_rng(seed), 0
    while made < rows:
        n = min(FILE_ROWS, rows - made)
        number = np.arange(made, made + n)
        number = np.where((number % COPIES == 0) & (number > 0), rng.integers(0, np.maximum(number, 1)), number)
        words = np.array([" ".join(chosen) for chosen in WORDS[np.random.default_rng(1).integers(0, 5000, (997, 12))]])
        texts = [f"{words[i % 997]} {i}" for i in number.tolist()]
        ids = pa.array(np.arange(made, made + n)).cast(pa.string())
        times = pa.array(np.full(n, 1_700_000_000_000_000) + np.arange(made, made + n) * 1_000_000).cast(
            pa.timestamp("us", tz="UTC")
        )
        pq.write_table(pa.table({"id": ids, "text": texts, "time": times}), folder / f"{made:09d}.parquet")
        made += n


class Trivial:
    """Answers at once, so that only the pipeline's own time and memory are measured."""

    prefetch_depth = 1

    def __init__(self, labels: int) -> None:
        self.labels = labels

    def begin(self, texts: Sequence[str]) -> Callable[[Callable[[int], None]], NDArray[np.float32]]:
        """Probabilities that follow from the texts' lengths."""

        def finish(on_batch: Callable[[int], None]) -> NDArray[np.float32]:
            on_batch(len(texts))
            raw = 1.0 + np.array([[len(text) * (k + 1) % 7 for k in range(self.labels)] for text in texts])
            return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32)

        return finish

    def close(self) -> None:
        """Nothing is left over."""


def classify(folder: Path, labels: int, shard_rows: int) -> dict[str, Any]:
    """The result of infer on the comments in a folder; to be called in a process of its own."""
    from stages.infer import run_infer
    from stages.plan.schema import read_plan
    from stages.runtime.run_context import open_run

    names = [f"label{k}" for k in range(labels)]
    plan = {
        "name": "memory",
        "labels": names,
        "original": {"train": [{"path": "none.csv"}]},
        "comments": [{"path": "comments/*.parquet", "id": "id", "time": "time"}],
        "candidates": ["none"],
        "infer": {"shard_rows": shard_rows},
    }
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    predictor = SimpleNamespace(fingerprint="0" * 16, members=["none"], records=[], name="none", how="mean")
    vars(run_infer)["final_predictor"] = lambda run: predictor
    run = open_run(read_plan(folder / "plan.yaml"))
    choice = SimpleNamespace(ways=[SimpleNamespace(engine="none", precision="none")])
    vars(run_infer)["choose_engines"] = lambda *_: choice
    result = run_infer.run_infer(run, lambda run, choice: Trivial(labels))
    keys = {"rows", "unique", "seconds", "rows_per_second", "peak_rss_bytes"}
    return result.model_dump(include=keys) | {"bytes": sum(run.files.sizes().values())}


def in_a_process(rows: int, labels: int, shard_rows: int) -> dict[str, Any]:
    """The same, of so many generated comments, by a new process."""
    with tempfile.TemporaryDirectory() as folder:
        write_comments(Path(folder) / "comments", rows)
        words = [sys.executable, "-m", "benchmarks.infer_memory", "--classify", folder]
        words += ["--labels", str(labels), "--shard-rows", str(shard_rows)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told


def compare(few: int, many: int, labels: int = 4, shard_rows: int = 50_000) -> dict[str, Any]:
    """Figures of both, and the ratio of the peaks."""
    found = [in_a_process(rows, labels, shard_rows) for rows in (few, many)]
    return {"few": found[0], "many": found[1], "ratio": found[1]["peak_rss_bytes"] / found[0]["peak_rss_bytes"]}


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=250_000)
    parser.add_argument("--many", type=int, default=3_100_000)
    parser.add_argument("--labels", type=int, default=4)
    parser.add_argument("--shard-rows", type=int, default=50_000)
    parser.add_argument("--classify", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.classify:
        print(json.dumps(classify(given.classify, given.labels, given.shard_rows)))
        return
    began = datetime.now(UTC)
    clock = time.monotonic()
    told = compare(given.few, given.many, given.labels, given.shard_rows)
    print(json.dumps(told | {"began": began.isoformat(), "seconds": round(time.monotonic() - clock, 1)}, indent=2))


if __name__ == "__main__":
    main()
