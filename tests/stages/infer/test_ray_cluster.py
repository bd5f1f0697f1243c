"""Which processes a cluster gives, and how it is joined; no cluster is started."""

import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from stages.infer.ray_cluster import Place, cluster_address, join, places
from transfer.errors import UserError

# no word to Ray's makers, and addresses of this machine alone
OURS = ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")


def node(name: str, cpus: int, gpus: int = 0, alive: bool = True) -> dict[str, Any]:
    """As ray.nodes() tells of one; what it has none of is not named."""
    has = {kind: float(n) for kind, n in (("CPU", cpus), ("GPU", gpus)) if n}
    return {"NodeID": name, "NodeManagerAddress": f"10.0.0.{name}", "Alive": alive, "Resources": has}


def test_each_node_has_one_process_with_all_its_cores_where_there_are_no_gpus() -> None:
    found = places([node("1", 4), node("2", 16), node("3", 0), node("4", 8, alive=False)], False, None)
    assert found == [Place("1", "10.0.0.1", 0, 0.0, 4), Place("2", "10.0.0.2", 0, 0.0, 16)]


def test_each_gpu_has_a_process_and_nodes_without_one_are_left_out() -> None:
    found = places([node("1", 8), node("2", 16, 2), node("3", 12, 1)], True, None)
    assert [(place.node, place.number, place.gpus, place.cpus) for place in found] == [
        ("2", 0, 1.0, 8),
        ("2", 1, 1.0, 8),
        ("3", 0, 1.0, 12),
    ]


def test_the_plan_says_how_many_processes_a_node_has() -> None:
    assert [place.cpus for place in places([node("1", 5)], False, 2)] == [2, 2]
    assert [place.gpus for place in places([node("1", 8, 2)], True, 4)] == [0.5] * 4
    # none is given parts of two GPUs, which Ray would wait for in vain
    assert [place.gpus for place in places([node("1", 8, 2)], True, 3)] == [0.5] * 3


def test_nodes_with_gpus_are_not_used_from_a_machine_without() -> None:
    with pytest.raises(UserError, match=r"node 10.0.0.2 has a GPU and this machine has none\n.*run it on a machine"):
        places([node("1", 4), node("2", 4, 1)], False, None)


def test_the_cluster_is_the_environments_or_one_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert cluster_address() == "local"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert cluster_address() == "10.0.0.1:6379"
    with pytest.raises(UserError, match="ray://host:10001 is an address of Ray Client"):
        join("ray://host:10001", print)


def test_a_cluster_of_this_machine_is_private_and_leaves_signals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def init(**settings: Any) -> None:
        given.update(settings, **{name: os.environ[name] for name in OURS})
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray does, with a handler of its own

    for name in OURS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init, is_initialized=lambda: False))
    before = signal.getsignal(signal.SIGTERM)
    join("local", print)
    assert signal.getsignal(signal.SIGTERM) == before
    assert (given["address"], given["include_dashboard"]) == ("local", False)
    assert [given[name] for name in OURS] == ["0", "0"]


def test_a_cluster_that_cannot_be_joined_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nand more")

    monkeypatch.setitem(
        sys.modules, "ray", SimpleNamespace(init=init, is_initialized=lambda: False, shutdown=lambda: None)
    )
    with pytest.raises(
        UserError, match=r"the cluster 10.0.0.1:6379 could not be joined: .* instance\.\n  run the command"
    ):
        join("10.0.0.1:6379", print)
