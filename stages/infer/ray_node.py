"""What a node of a cluster does for an inference: says what it has, and classifies the shards that it is given."""

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stages.infer.executors import ExecutorChoice, Floats, InProcess, settled

# What probabilities depend on to the last digit, beside the processor.
PACKAGES = ("moodline", "torch", "transformers", "tokenizers", "numpy", "openvino", "onnxruntime")


@dataclass(frozen=True)
class Facts:
    """Of one node. host: its name. versions: of PACKAGES that are installed. missing: paths that are not there."""

    host: str
    versions: Mapping[str, str]
    missing: Sequence[str]


def facts(paths: Sequence[str]) -> Facts:
    """What this machine has. paths: what the workspace's leader sees and a node must see as well."""
    versions = {"python": ".".join(map(str, sys.version_info[:2]))}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Facts(socket.gethostname(), versions, [path for path in paths if not Path(path).exists()])


class NodeClassifier:
    """The predictor on a node: a process that classifies shard after shard, on one GPU where it was given one."""

    def __init__(self) -> None:
        self._here: InProcess | None = None

    def open(self, team: ExecutorChoice, threads: int) -> None:
        """Loads the models. Raises UserError where they cannot be computed here as they are elsewhere."""
        self._here = settled(team, threads)

    def classify(self, texts: Sequence[str]) -> Floats:
        """(N, K) float32 of cleaned texts."""
        assert self._here is not None, "opened first"
        return self._here.begin(texts)(lambda read: None)
