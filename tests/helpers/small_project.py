"""A small project as a user would have it: data, encoders, an LM and a plan in one folder."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers import forked_commands
from tests.helpers.tiny_encoders import LABELS, easy_texts, save_encoder
from tests.helpers.tiny_lms import save_lm

if TYPE_CHECKING:
    from stages.runtime.run_context import Run

PLAN = """\
name: small
labels: [anger, joy, sadness]
original:
  train: [{path: original.csv}]
  validation: 0.2
  test: 0.2
comments: [{path: comments.parquet, id: id, time: written_at, author: author, source: video}]
gold: {path: gold.csv, id: id, random_sample: true}
candidates: [models/bert, models/roberta]
search:
  trials: 3
  keep: 2
  space: {learning_rate: {low: 3e-3, high: 1e-2, log: true}, epochs: 8, batch_size: 8, max_length: 32, dropout: 0}
pseudo_label: {labeller: {model: models/lm}, sample: 60}
further: {trials: 2, keep: 1}
ensemble: {top: 3}
infer: {shard_rows: 50}
index: {weights: {anger: -1, joy: 1, sadness: -1}, min_comments: 5, min_clusters: 2}
"""


@dataclass(frozen=True)
class Project:
    """A folder with a plan, and the command line to run on it."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def workspace(self) -> Path:
        return self.folder / "runs" / "small"

    def write(self, *changes: tuple[str, str]) -> None:
        """Changes pieces of the plan's text."""
        text = self.plan.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        self.plan.write_text(text, encoding="utf-8")

    def start(self, *words: str, **more: str) -> "subprocess.Popen[str]":
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=environment(more),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """The command, to its end; where its environment is the usual one, without waiting for imports."""
        if hasattr(os, "fork") and not more and "MOODLINE_TEST_GPU" not in os.environ:  # CUDA cannot be forked
            return forked_commands.run(words, self.folder, environment({}))
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=environment(more),
            text=True,
            capture_output=True,
            check=False,
        )

    def joined_search(self, *more: str) -> dict[str, Any]:
        """What a search says that a second process joins as soon as it has begun; both must end well."""
        leader = self.start("search", "plan.yaml", "--json", *more)
        assert leader.stderr is not None
        line = ""
        while "trial 0" not in line:
            line = leader.stderr.readline()
            assert line, "the leader ended before its first trial"
        joined = self.start("worker", "plan.yaml", "--json", *more)
        out, errors = leader.communicate(timeout=240)
        assert leader.returncode == 0, errors
        _, errors = joined.communicate(timeout=240)
        assert joined.returncode in {0, 1}, errors  # 1 where the leader was done before the other had begun
        told: dict[str, Any] = json.loads(out)
        return told

    def json(self, *words: str) -> dict[str, Any]:
        """What the command says with --json; it must succeed, and say nothing else on stdout."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told


def opened(project: Project, *overrides: str) -> "Run":
    """The project's run in this process, with some of the plan's values overridden."""
    from stages.plan.schema import read_plan
    from stages.runtime.run_context import open_run

    return open_run(read_plan(project.plan, overrides))


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The tests' own, offline, and one thread, so that figures repeat to the last bit."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **more}


def make_project(folder: Path) -> Project:
    """Writes data, models and plan."""
    folder.mkdir(parents=True, exist_ok=True)
    texts, labels = easy_texts(200, seed=1)
    write_csv(folder / "original.csv", ["text", "label"], zip(texts, [LABELS[i] for i in labels], strict=True))
    texts, labels = easy_texts(160, seed=2)
    begin = datetime(2024, 3, 1, 12)
    table = pa.table(
        {
            "id": [f"c{i}" for i in range(len(texts))],
            "text": [f"{text} lol" for text in texts],
            "written_at": [begin + timedelta(hours=12 * i % 240) for i in range(len(texts))],
            "author": [f"author {i % 40}" for i in range(len(texts))],
            "video": [f"video {i % 5}" for i in range(len(texts))],
        }
    )
    pq.write_table(table, folder / "comments.parquet")
    gold = [(f"c{i}", f"{texts[i]} lol", LABELS[labels[i]]) for i in range(0, 160, 4)]
    write_csv(folder / "gold.csv", ["id", "text", "label"], gold)
    save_encoder("bert", folder / "models" / "bert", with_lm_head=True)
    save_encoder("roberta", folder / "models" / "roberta", with_lm_head=True)
    save_lm(folder / "models" / "lm", "gemma3", chat=True)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return Project(folder)


def write_csv(path: Path, header: Sequence[str], rows: Any, encoding: str = "utf-8") -> None:
    """A csv file of these rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def outcome(project: Project) -> dict[str, Any]:
    """All that two runs are compared by: trials, labels, models and every prediction, to the last bit."""
    from stages.plan.schema import read_plan
    from stages.results.infer_result import InferResult
    from stages.runtime.run_context import open_run
    from stages.runtime.stage_execution import read_result
    from storage.records import model_registry

    run = open_run(read_plan(project.plan))
    kept = {
        m.name: (m.value, _bytes(run.files.fetch(m.path) / "model.safetensors"))
        for m in model_registry.models(run.engine, "small")
    }
    # authors are hashed with a salt that each store draws for itself
    tables = [pq.read_table(run.files.fetch(name)).drop(["author"]) for name in read_result(run, InferResult).shards]
    shards = [table.to_pydict() for table in tables]
    return {"trials": trials_of_all(run), "kept": kept, "labels": labels_of_all(run), "shards": shards}


def trials_of_all(run: "Run") -> dict[str, list[tuple[Any, ...]]]:
    """By study: number, state, value, parameters and reported values of each trial."""
    import optuna

    from stages.runtime.run_context import store_url
    from studies.optuna_storage import open_optuna

    storage = open_optuna(store_url(run.plan))
    return {
        name: [
            (t.number, t.state.name, t.value, sorted(t.params.items()), sorted(t.intermediate_values.items()))
            for t in optuna.load_study(study_name=name, storage=storage).trials
        ]
        for name in sorted(optuna.get_all_study_names(storage))
    }


def labels_of_all(run: "Run") -> dict[tuple[str, str], tuple[int | None, list[float] | None]]:
    """By labeller and comment: label and probabilities."""
    from storage.records import pseudo_labels

    return {
        (labeller.identity, row.key): (row.label, row.probabilities)
        for labeller in pseudo_labels.labellers(run.engine)
        for row in pseudo_labels.labels_of(run.engine, labeller.identity)
    }


def _bytes(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
