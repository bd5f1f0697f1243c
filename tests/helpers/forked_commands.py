"""Commands by forks of a process that has imported all they need: a new interpreter takes three seconds for that."""

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

MODULES = (
    "cli",
    "stages.pipeline",
    "stages.runtime.reset",
    "stages.infer.run_infer",
    "stages.monitor.run_monitor",
    "studies.workers.worker_loop",
    "transformers.models.bert.modeling_bert",
    "transformers.models.roberta.modeling_roberta",
    "transformers.models.gemma3.modeling_gemma3",
    "sklearn.linear_model",
    "pyarrow.parquet",
)


def run(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`moodline` with these words, to its end, in `folder` and with that environment.

    All forks have one hash seed, and what is read from the environment by an import is what `environment({})` has.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as name:
        outputs = [str(Path(name, stream)) for stream in ("stdout", "stderr")]
        asked = {"words": [*words], "folder": str(folder), "environment": dict(environment), "outputs": outputs}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = server.stdout.readline()
        assert status, f"the process that forks ended: {server.wait()}"
        out, errors = (Path(path).read_text(encoding="utf-8") for path in outputs)
    return subprocess.CompletedProcess([*words], int(status), out, errors)


@cache
def _server() -> "subprocess.Popen[str]":
    """One for each process that runs tests, until it ends."""
    from tests.helpers.small_project import environment

    server = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.forked_commands"],
        env=environment({}),
        text=True,
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(server.kill)
    return server


def import_all() -> None:
    """All that a command on the tests' tiny models imports; no command's number format depends on the machine."""
    for name in MODULES:
        importlib.import_module(name)
    setattr(importlib.import_module("transfer.device.device"), "_seconds", as_fast_in_any_dtype)  # noqa: B010


def as_fast_in_any_dtype(*_: object) -> float:
    """Stands for a measurement: bfloat16 gains nothing, so a processor computes in float32."""
    return 1.0


def main() -> None:
    """Forks for each line that is asked, and answers with what the fork's status was."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    import_all()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
            return
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    os._exit(0)


def _become(asked: Mapping[str, Any]) -> None:
    """Runs the command; its end is this process's, as an interpreter's own."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for stream, path in enumerate(asked["outputs"], start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["moodline", *asked["words"]]
    importlib.import_module("cli").main()


if __name__ == "__main__":
    main()
