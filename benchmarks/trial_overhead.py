"""Time that a trial of `moodline search` takes besides training and evaluation, and whether memory stays constant.

python -m benchmarks.trial_overhead ENCODER DATA [--texts 200] [--trials 12] [--epochs 3]
DATA: a folder with train.csv and validation.csv (columns text, label); the first texts of each are used.
Runs the command itself, in this process, and times training and evaluation.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import yaml

import studies.trials.objective
import studies.workers.worker_loop
from benchmarks.parts import machine, read, table, write
from transfer.engines.torch_engine import probabilities_of
from transfer.training.finetune import FineTuning

T = TypeVar("T")


@dataclass
class Clock:
    """Seconds of training and evaluation since the trial before ended, and the figures of each trial."""

    counted: float = 0.0
    ended: float = 0.0
    trials: list[tuple[float, float, float]] = field(default_factory=list)  # seconds in all, counted, MB resident

    def around(self, work: Callable[..., T]) -> Callable[..., T]:
        def timed(*args: Any, **kwargs: Any) -> T:
            began = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self.counted += time.perf_counter() - began

        return timed

    def after(self, work: Callable[..., T]) -> Callable[..., T]:
        def timed(*args: Any, **kwargs: Any) -> T:
            out = work(*args, **kwargs)
            now = time.perf_counter()
            self.trials.append((now - self.ended, self.counted, psutil.Process().memory_info().rss / 2**20))
            self.ended, self.counted = now, 0.0
            return out

        return timed


def plan(encoder: str, folder: Path, labels: list[str], trials: int, epochs: int) -> Path:
    """A plan of stage one alone, over the parameters that do not change a trial's size."""
    path = folder / "plan.yaml"
    space = {"learning_rate": {"low": 1e-4, "high": 4e-4, "log": True}, "epochs": epochs, "batch_size": 32}
    given = {
        "name": "overhead",
        "labels": labels,
        "original": {"train": [{"path": "train.csv"}], "validation": [{"path": "validation.csv"}], "test": None},
        "candidates": [encoder],
        "search": {"trials": trials, "keep": 3, "pruner": "none", "space": space},
        "pseudo_label": None,
    }
    path.write_text(yaml.safe_dump(given))
    return path


def main() -> None:
    """Runs the search, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    data = read(given.data, given.texts)
    clock = Clock()
    FineTuning.run_epoch = clock.around(FineTuning.run_epoch)  # type: ignore[method-assign]
    studies.trials.objective.probabilities_of = clock.around(probabilities_of)  # type: ignore[attr-defined]
    studies.workers.worker_loop._run_claim = clock.after(studies.workers.worker_loop._run_claim)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "train.csv", data.labels, data.texts, data.y)
        write(folder / "validation.csv", data.labels, data.unseen[: given.texts], data.unseen_y[: given.texts])
        path = plan(given.encoder, folder, data.labels, given.trials, given.epochs)
        from cli import app

        clock.ended = time.perf_counter()
        app(["search", str(path)], standalone_mode=False)
    gc.collect()
    rows = [[i, *row, row[0] - row[1]] for i, row in enumerate((t[0], t[1], t[2]) for t in clock.trials)]
    print(f"{machine()}\n{given.texts} texts, {given.epochs} epochs; trial 0 also reads the data and imports torch\n")
    print(table([["trial", "seconds", "of it training and judging", "MB resident", "beyond"], *rows]))
    beyond = [row[0] - row[1] for row in clock.trials[1:]]
    print(
        f"\nbeyond, median of trials 1 to {len(beyond)}: {statistics.median(beyond):.3f} s, at most {max(beyond):.3f} s"
    )
    growth = (clock.trials[-1][2] - clock.trials[1][2]) / max(len(clock.trials) - 2, 1)
    print(f"resident memory from trial 1 to the last: {growth:+.1f} MB a trial")


if __name__ == "__main__":
    main()
