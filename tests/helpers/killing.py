"""Kills a real command at named points of the code, again and again, until it runs to its end.

Run as a program: it imports what a command imports, once, and forks a process for each attempt, which then costs no
start. An attempt ends by a signal: its own at the n-th call of a function, before or after the call, or its parent's
after some seconds. A search is also watched: after each step on the disk it looks whether more weights lie there than
ever may, and ends in a way of its own if so. The product has no code for any of this.
"""

import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.helpers import forked_commands

# All that puts weights on the disk or takes them away.
DISK_STEPS = (
    "os.rename",
    "os.replace",
    "os.link",
    "shutil.rmtree",
    "shutil.copyfile",
    "transfer.training.checkpoint.save_file",
    "transformers.PreTrainedModel.save_pretrained",
)
# The most that may lie there at any of these steps. trials: folders of running trials; checkpoints, best: weights in
# these, the new ones while they take the place of the old; kept: all other weights, which are the plan's best two.
MOST_ON_DISK = {"trials": 1, "checkpoints": 2, "best": 2, "kept": 2}
TOO_MUCH_ON_DISK = 97
INTERRUPTED = 130
ENDS = {0: "finished", INTERRUPTED: "interrupted", -signal.SIGKILL: "killed"}
LOG = "command.log"  # what the last attempt wrote
# Seconds for which work waits to be kept, 0 here: tiny models are done before the first would be over.
WAITS = (
    ("studies.trials.objective", "EPOCH_SECONDS"),
    ("stages.adapt.run_adapt", "CHECKPOINT_SECONDS"),
    ("stages.label.labelling_loop", "MOST_WAITING"),
)


@dataclass(frozen=True)
class Kill:
    """Where an attempt ends. at: a function; call: its n-th; or seconds, where `at` is empty. by: the signal."""

    at: str = ""
    call: int = 1
    after: bool = False
    seconds: float = 0.0
    by: int = signal.SIGKILL


def run_with_kills(
    folder: Path, command: str, kills: Sequence[Kill], *, end: bool = True, watches_disk: bool = False
) -> list[str]:
    """Runs `moodline COMMAND plan.yaml` in `folder` through all the kills, and then to its end. Returns how each ended.

    "killed", "interrupted" (with status 130, and a message how to go on), or "finished": the point was not reached, the
    work is done, and the other kills are left out.
    Raises AssertionError where an attempt ended in any other way, or the last one failed.
    """
    from tests.helpers.small_project import environment

    job = {"command": command, "kills": [asdict(kill) for kill in kills], "end": end, "watches_disk": watches_disk}
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killing", json.dumps(job)],
        cwd=folder,
        env=environment({"TOKENIZERS_PARALLELISM": "false"}),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ends: list[str] = json.loads(done.stdout.splitlines()[-1])
    return ends


def main() -> None:
    """The program; its argument is the job, as JSON."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    job = json.loads(sys.argv[1])
    forked_commands.import_all()
    for module, name in WAITS:
        setattr(importlib.import_module(module), name, 0.0)
    # two runs are compared whose stores would else draw salts of their own: the line's intervals depend on them
    author_salt = importlib.import_module("storage.records.author_salt")
    setattr(author_salt, "token_hex", lambda size: "5a" * size)  # noqa: B010
    ends: list[str] = []
    for kill in job["kills"]:
        ends.append(_attempt(job, Kill(**kill)))
        if ends[-1] == "finished":
            break
    if job["end"] and (status := _wait_for(_fork(job, None))):
        sys.exit(f"the command failed: {status}\n{_log()}")
    print(json.dumps(ends))


def _attempt(job: Mapping[str, Any], kill: Kill) -> str:
    pid = _fork(job, kill)
    if not kill.at:
        time.sleep(kill.seconds)
        os.kill(pid, kill.by)
    status = _wait_for(pid)
    if status not in ENDS:
        sys.exit(f"{kill}: status {status}\n{_log()}")
    if status == INTERRUPTED and f"Go on with:\n  moodline {job['command']} plan.yaml" not in _log():
        sys.exit(f"{kill}: it does not say how to go on\n{_log()}")
    return ENDS[status]


def _wait_for(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _log() -> str:
    return Path(LOG).read_text(encoding="utf-8")


def _fork(job: Mapping[str, Any], kill: Kill | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["moodline", job["command"], "plan.yaml"]
    seen: list[dict[str, int]] = []
    for at in DISK_STEPS if job["watches_disk"] else ():
        _wrap(at, functools.partial(_looking, seen=seen))
    if kill is not None and kill.at:
        _wrap(kill.at, functools.partial(_killing, kill=kill))
    import cli

    try:
        cli.main()
    except SystemExit as left:
        Path("disk.json").write_text(json.dumps(seen), encoding="utf-8")
        os._exit(int(left.code or 0))
    os._exit(99)


def _wrap(at: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wraps the function, wherever a module of ours has it by name."""
    owner, name = owner_of(at)
    real = getattr(owner, name)
    wrapped = wrap(real)
    setattr(owner, name, wrapped)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").split(".")[0] in {"cli", "stages", "studies", "transfer", "storage"}:
            _replace_in(vars(module), real, wrapped)


def _replace_in(names: dict[str, Any], real: Callable[..., Any], wrapped: Callable[..., Any]) -> None:
    for name, value in list(names.items()):
        if value is real:
            names[name] = wrapped


def owner_of(path: str) -> tuple[Any, str]:
    """The module or class that has the last name of a dotted path."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise ValueError(path)


def _looking(real: Callable[..., Any], seen: list[dict[str, int]]) -> Callable[..., Any]:
    @functools.wraps(real)
    def looks(*args: Any, **more: Any) -> Any:
        result = real(*args, **more)
        seen.append(weights_on_disk(Path("runs/small")))
        if any(seen[-1][what] > most for what, most in MOST_ON_DISK.items()):
            print(f"too much on disk after {real.__name__}: {seen[-1]}", file=sys.stderr, flush=True)
            os._exit(TOO_MUCH_ON_DISK)
        return result

    return looks


def weights_on_disk(workspace: Path) -> dict[str, int]:
    """How many weights lie there; those of a running trial that were published already are its own."""
    own = list(_weights_below(workspace / "scratch"))
    placed = {
        path.stat().st_ino for place in ("models", ".writing") for path in _weights_below(workspace / "files" / place)
    }
    return {
        "trials": len(list((workspace / "scratch").glob("*/trial-*"))),
        "checkpoints": sum(path.name == "state.safetensors" for path in own),
        "best": sum(path.name == "model.safetensors" for path in own),
        "kept": len(placed - {path.stat().st_ino for path in own}),
    }


def _weights_below(folder: Path) -> list[Path]:
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".safetensors")]


def _killing(real: Callable[..., Any], kill: Kill) -> Callable[..., Any]:
    count = 0

    @functools.wraps(real)
    def wrapped(*args: Any, **more: Mapping[str, Any]) -> Any:
        nonlocal count
        count += 1
        if count == kill.call and not kill.after:
            os.kill(os.getpid(), kill.by)
        result = real(*args, **more)
        if count == kill.call and kill.after:
            os.kill(os.getpid(), kill.by)
        return result

    return wrapped


if __name__ == "__main__":
    main()
