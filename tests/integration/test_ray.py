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
from stages.infer.executors import Executor, ExecutorChoice, Finish, opened
from stages.infer.ray_executor import OnRay
from stages.infer.run_infer import run_infer
from stages.infer.shard_schema import publish_shard
from stages.runtime.progress import SilentReporter
from stages.runtime.run_context import Run
from tests.helpers.classifying_project import Heap, make_heap
from tests.helpers.small_project import environment
from tests.helpers.tiny_encoders import easy_texts
from transfer.errors import UserErrors

pytestmark = pytest.mark.slow

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(400, 1)[0])]
COMMENTS = [*TEXTS[:200], *TEXTS[50:90], *TEXTS[200:260]]  # thirty shards, some with texts of others


@dataclass
class Told(SilentReporter):
    """Remembers what was said."""

    said: list[str] = field(default_factory=list)

    def message(self, line: str) -> None:
        self.said.append(line)


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
def heap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any) -> Heap:
    import torch

    torch.set_num_threads(1)  # as on the nodes
    return make_heap(tmp_path, ("bert", "roberta"), monkeypatch)


def opened_run(heap: Heap) -> tuple[Run, Told]:
    report = Told()
    return replace(heap.open(), report=report), report


def shards(run: Run, told: dict[str, Any]) -> list[Any]:
    return [pq.read_table(run.files.fetch(name)) for name in told["shards"]]


def by_one_process(heap: Heap) -> list[Any]:
    """What one process writes; then the shards are taken away."""
    run = heap.open()
    told = run_infer(run, lambda run, team: opened(team))
    tables = shards(run, told)
    for name in told["shards"]:
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

    patch.setattr("stages.infer.run_infer.publish_shard", publish)


def test_a_killed_node_changes_nothing_and_one_that_comes_takes_part(
    heap: Heap, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap.write("a.parquet", COMMENTS)
    one = by_one_process(heap)
    node = next(iter(cluster.worker_nodes))

    def kill() -> None:
        """As where the machine goes: the raylet, and all that it started."""
        for raylet in [psutil.Process(process.process.pid) for process in node.all_processes["raylet"]]:
            for process in [raylet, *raylet.children(recursive=True)]:
                process.kill()

    with monkeypatch.context() as patch, OnRay() as ray:
        at_shard(3, kill, patch)
        run, report = opened_run(heap)
        told = run_infer(run, ray.start)
    assert [table.equals(ours) for table, ours in zip(one, shards(run, told), strict=True)] == [True] * 30
    assert (told["rows"], told["unique"]) == (300, 260)
    assert any("is lost, others do its work" in line for line in report.said)
    cluster.worker_nodes.discard(node)
    cluster.add_node(num_cpus=1)


def test_what_is_done_stays_done_and_new_comments_are_classified_alone(
    heap: Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap.write("a.parquet", COMMENTS)
    one = by_one_process(heap)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with OnRay() as ray:
        with monkeypatch.context() as patch:
            at_shard(12, interrupt, patch)
            with pytest.raises(KeyboardInterrupt):
                run_infer(opened_run(heap)[0], ray.start)
        assert len(heap.open().files.names("shards")) == 11
        begun: list[int] = []

        def counted(run: Run, team: ExecutorChoice) -> Executor:
            made = ray.start(run, team)
            real = made.begin

            def begin(texts: Sequence[str]) -> Finish:
                begun.append(len(texts))
                return real(texts)

            made.begin = begin  # type: ignore[method-assign]
            return made

        run, _ = opened_run(heap)
        told = run_infer(run, counted)
        assert [table.equals(ours) for table, ours in zip(one, shards(run, told), strict=True)] == [True] * 30
        assert len(begun) == 19
        begun.clear()
        heap.write("b.parquet", [*TEXTS[:15], *TEXTS[260:265]], first=1000)
        told = run_infer(opened_run(heap)[0], counted)
    assert (told["rows"], told["unique"]) == (320, 265)
    assert sum(begun) == 5


def test_a_node_that_does_not_see_the_workspace_is_named_before_the_first_shard(
    heap: Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap.write("a.parquet", TEXTS[:10])
    monkeypatch.setattr(ray_node_check, "_needed", lambda team, mark: ["/no/such/folder"])
    with OnRay() as ray, pytest.raises(UserErrors, match="does not see /no/such/folder"):
        run_infer(heap.open(), ray.start)
    assert heap.open().files.names("shards") == []


LISTENING = """
import json, psutil
from stages.infer.ray_joining import join
join("local")
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
