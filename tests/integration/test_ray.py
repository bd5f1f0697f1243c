"""The shards of a Ray cluster of several nodes are those of one process, though a node is killed in the middle."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from stages.infer import ray_node_check
from stages.infer.executors import Executor, ExecutorChoice, Finish, open_in_process
from stages.infer.ray_executor import ray_execution
from stages.infer.run_infer import run_infer
from stages.infer.shard_schema import publish_shard
from stages.results.infer_result import InferResult
from stages.runtime.progress import SilentReporter
from stages.runtime.run_context import Run
from tests.helpers.classifying_project import CommentProject, make_comment_project
from tests.helpers.small_project import environment
from tests.helpers.tiny_encoders import easy_texts
from transfer.errors import UserErrors

pytestmark = pytest.mark.slow

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(400, 1)[0])]
COMMENTS = [*TEXTS[:200], *TEXTS[50:90], *TEXTS[200:260]]  # thirty shards, some with texts of others


@dataclass
class RecordingReporter(SilentReporter):
    """Remembers the messages."""

    messages: list[str] = field(default_factory=list)

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that computes nothing and two nodes with a core each, all on this machine."""
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        from ray.cluster_utils import Cluster

        made: Any = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "include_dashboard": False, "dashboard_host": "127.0.0.1"},
        )
        for _ in range(2):
            made.add_node(num_cpus=1)
        patch.setenv("RAY_ADDRESS", made.address)
        yield made
        made.shutdown()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any) -> CommentProject:
    import torch

    torch.set_num_threads(1)  # as on the nodes
    return make_comment_project(tmp_path, ("bert", "roberta"), monkeypatch)


def opened_run(project: CommentProject) -> tuple[Run, RecordingReporter]:
    report = RecordingReporter()
    return replace(project.open(), report=report), report


def shards(run: Run, result: InferResult) -> list[Any]:
    return [pq.read_table(run.files.fetch(name)) for name in result.shards]


def by_one_process(project: CommentProject) -> list[Any]:
    """What one process writes; then the shards are taken away."""
    run = project.open()
    result = run_infer(run, lambda run, choice: open_in_process(choice))
    tables = shards(run, result)
    for name in result.shards:
        run.files.remove(name)
    return tables


def at_shard(number: int, does: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Something happens when the n-th shard of all is about to be written."""
    count = 0

    def publish(*given: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            does()
        publish_shard(*given)

    patch.setattr("stages.infer.shard_pipeline.publish_shard", publish)


def test_a_killed_node_changes_nothing_and_one_that_comes_takes_part(
    project: CommentProject, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("a.parquet", COMMENTS)
    one = by_one_process(project)
    node = next(iter(cluster.worker_nodes))

    def kill() -> None:
        """As where the machine goes: the raylet, and all that it started."""
        for raylet in [psutil.Process(process.process.pid) for process in node.all_processes["raylet"]]:
            for process in [raylet, *raylet.children(recursive=True)]:
                process.kill()

    with monkeypatch.context() as patch, ray_execution() as start:
        at_shard(3, kill, patch)
        run, report = opened_run(project)
        result = run_infer(run, start)
    assert [table.equals(ours) for table, ours in zip(one, shards(run, result), strict=True)] == [True] * 30
    assert (result.rows, result.unique) == (300, 260)
    assert any("is lost, others do its work" in line for line in report.messages)
    cluster.worker_nodes.discard(node)
    cluster.add_node(num_cpus=1)


def test_what_is_done_stays_done_and_new_comments_are_classified_alone(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("a.parquet", COMMENTS)
    one = by_one_process(project)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with ray_execution() as start:
        with monkeypatch.context() as patch:
            at_shard(12, interrupt, patch)
            with pytest.raises(KeyboardInterrupt):
                run_infer(opened_run(project)[0], start)
        assert len(project.open().files.names("shards")) == 11
        begun: list[int] = []

        def counted(run: Run, choice: ExecutorChoice) -> Executor:
            made = start(run, choice)
            real = made.begin

            def begin(texts: Sequence[str]) -> Finish:
                begun.append(len(texts))
                return real(texts)

            made.begin = begin  # type: ignore[method-assign]
            return made

        run, _ = opened_run(project)
        result = run_infer(run, counted)
        assert [table.equals(ours) for table, ours in zip(one, shards(run, result), strict=True)] == [True] * 30
        assert len(begun) == 19
        begun.clear()
        project.write("b.parquet", [*TEXTS[:15], *TEXTS[260:265]], first=1000)
        result = run_infer(opened_run(project)[0], counted)
    assert (result.rows, result.unique) == (320, 265)
    assert sum(begun) == 5


def test_a_node_that_does_not_see_the_workspace_is_named_before_the_first_shard(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("a.parquet", TEXTS[:10])
    monkeypatch.setattr(ray_node_check, "_required_paths", lambda choice, marker: ["/no/such/folder"])
    with ray_execution() as start, pytest.raises(UserErrors, match="does not see /no/such/folder"):
        run_infer(project.open(), start)
    assert project.open().files.names("shards") == []


LISTENING = """
import json, psutil
from stages.infer.ray_cluster import join
join("local", print)
import ray
ours = psutil.Process().children(recursive=True)
there = [c for process in ours for c in process.net_connections("inet") if c.status == "LISTEN"]
print(json.dumps(sorted({c.laddr.ip.removeprefix("::ffff:") for c in there})))
ray.shutdown()
"""


def test_a_cluster_of_this_machine_listens_to_nobody_else() -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    done = subprocess.run(
        [sys.executable, "-c", LISTENING], env=environment({}), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["127.0.0.1"]
