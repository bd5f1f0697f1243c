"""An inference on a Ray cluster: its nodes classify shards; this process reads, drops duplicates and writes.

So the nodes need neither the comments nor the store, and shards are those of one process. What they need is checked
before the first shard: the same packages, and the workspace and the models under the same paths.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, cast

from stages.infer.executors import Executor, ExecutorChoice, Floats
from stages.infer.ray_joining import LOCAL, cluster_address, join, only_on
from stages.infer.ray_node import NodeClassifier
from stages.infer.ray_node_check import ask_by_ray, check_nodes
from stages.infer.ray_work_queue import Lost, WorkQueue
from stages.runtime.run_context import Run
from transfer.device.device import device_name
from transfer.errors import UserError, UserErrors

BUSY_SECONDS = 60.0
_LIKE_THE_NODES = "the engine is chosen where the command runs: run it on a machine of the kind of the nodes"


@dataclass(frozen=True)
class Place:
    """Where one process classifies. node: Ray's id. gpus: share of one. cpus: of the node's, and its threads."""

    node: str
    host: str
    number: int
    gpus: float
    cpus: int

    @property
    def name(self) -> str:
        """As messages have it."""
        return f"node {self.host}" + (f" (process {self.number + 1})" if self.number else "")


def places(nodes: Sequence[Mapping[str, Any]], has_gpu: bool, processes: int | None) -> list[Place]:
    """What classifies on these nodes, as `ray.nodes()` tells of them: a process for each GPU, or else for each node.

    has_gpu: this machine, where the engine was chosen; nodes without one are then left out. processes: the plan's, on
    each node. Raises UserError where nodes have GPUs and this machine has none.
    """
    found = []
    for node in nodes:
        gpus, cpus = (int(node["Resources"].get(kind, 0)) for kind in ("GPU", "CPU"))
        if not node["Alive"] or not (gpus if has_gpu else cpus or gpus):
            continue
        if gpus and not has_gpu:
            raise UserError(
                f"--on ray: node {node['NodeManagerAddress']} has a GPU and this machine has none", _LIKE_THE_NODES
            )
        n = processes or gpus or 1
        share = 1 / math.ceil(n / gpus) if gpus else 0.0  # a part of one GPU: Ray gives no process parts of two
        found += [Place(node["NodeID"], node["NodeManagerAddress"], i, share, cpus // n) for i in range(n)]
    return found


@dataclass
class OnRay:
    """A context in which an inference may use the cluster of RAY_ADDRESS, or one on this machine where that is not set.

    It is joined when there is something to classify, and left at the end; a local one ends then.
    """

    _is_joined: bool = False
    _places: set[Place] = field(default_factory=set)
    _checked: set[str] = field(default_factory=set)

    def __enter__(self) -> "OnRay":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._is_joined:
            import ray

            ray.shutdown()

    def start(self, run: Run, team: ExecutorChoice) -> Executor:
        """The nodes, each with the team's models, ready to classify.

        Raises UserError where the cluster cannot be joined, and UserErrors with all that keeps nodes from taking part.
        """
        self._join(run)
        self._places, self._checked = set(), set()
        first = self._places_that_came(run)
        self._check(run, team, first)
        run.report.message(f"classifying in {len(first)} processes on {len({place.node for place in first})} nodes")
        hands = [_OnNode(place, team, self._places.discard) for place in first]
        try:
            _all_open(hands, run.report.message)
        except BaseException:
            for hand in hands:
                hand.end()
            raise
        return WorkQueue(hands, len(team.members), run.report.message, lambda: self._hands_that_came(run, team))

    def _join(self, run: Run) -> None:
        if not self._is_joined:
            address = cluster_address()
            run.report.message(
                "starting Ray on this machine" if address == LOCAL else f"joining the Ray cluster {address}"
            )
            join(address)
            self._is_joined = True

    def _places_that_came(self, run: Run) -> list[Place]:
        """Since this was last asked."""
        import ray

        has_gpu, nodes = device_name() == "cuda", cast(Any, ray).nodes()
        there = places(nodes, has_gpu, run.plan.infer.processes)
        if not there:
            raise _no_place(has_gpu)
        new = [place for place in there if place not in self._places]
        self._places.update(new)
        return new

    def _hands_that_came(self, run: Run, team: ExecutorChoice) -> list["_OnNode"]:
        import ray

        try:
            came = self._places_that_came(run)
            self._check(run, team, came)
        except UserErrors as problems:
            run.report.message(str(problems))
            return []
        except (UserError, ray.exceptions.RayError):  # looked at again in a second
            return []
        return [_OnNode(place, team, self._places.discard) for place in came]

    def _check(self, run: Run, team: ExecutorChoice, places: Sequence[Place]) -> None:
        """Asks each node once."""
        new = {place.node: place.host for place in places if place.node not in self._checked}
        if new:
            check_nodes(run, team, new, ask_by_ray)
            self._checked.update(new)


class _OnNode:
    """A Hand: an actor that is bound to its node, so that the node's end is its own.

    gone: is told the place when the actor is lost at work, for its node may still be there and start another.
    """

    def __init__(self, place: Place, team: ExecutorChoice, gone: Callable[[Place], None]) -> None:
        import ray

        self.place, self.name, self._gone = place, place.name, gone
        actor = ray.remote(NodeClassifier).options(
            num_cpus=place.cpus, num_gpus=place.gpus, max_restarts=0, scheduling_strategy=only_on(place.node)
        )
        self._actor = cast(Any, actor.remote())
        self._opened = self._actor.open.remote(team, max(1, place.cpus))

    def is_open_within(self, seconds: float) -> bool:
        """Whether it is, or is known not to become so."""
        import ray

        return bool(ray.wait([self._opened], timeout=seconds)[0])

    def open(self) -> None:
        """See Hand."""
        _got(self._opened)

    def classify(self, texts: Sequence[str]) -> Floats:
        """See Hand."""
        try:
            found: Floats = _got(self._actor.classify.remote(texts))
        except Lost:
            self._gone(self.place)
            raise
        return found

    def end(self) -> None:
        """See Hand."""
        import ray

        with suppress(ray.exceptions.RayError, ValueError):  # it is gone already
            ray.kill(self._actor)


def _got(reference: Any) -> Any:
    """What an actor returned. Raises what it raised itself, as it was; Lost where the actor or its node is gone."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise Lost(str(error).strip().splitlines()[0]) from error


def _all_open(hands: Sequence[_OnNode], say: Callable[[str], None]) -> None:
    """Waits for all of them.

    Raises UserError where a node cannot compute the models; one that is lost is seen later.
    """
    for hand in hands:
        if not hand.is_open_within(BUSY_SECONDS):
            say(f"waiting for {hand.name}: other work of the cluster may have its cores or GPUs")
        with suppress(Lost):
            try:
                hand.open()
            except UserError as problem:
                raise UserError(f"--on ray: {hand.name}: {problem}") from problem


def _no_place(has_gpu: bool) -> UserError:
    if has_gpu:
        return UserError("--on ray: this machine has a GPU and no node of the cluster has one", _LIKE_THE_NODES)
    return UserError("--on ray: no node of the cluster has a CPU to spare", "start nodes without --num-cpus=0")
