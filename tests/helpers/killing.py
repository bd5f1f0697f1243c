"""Kills a real search process at named points of the code, again and again, until one runs to its end.

Run as a program: it imports what a search imports, once, and forks a process for each attempt, which then costs no
start. Each attempt is the command `moodline search`, and ends by a signal: its own at the n-th call of a function,
before or after the call, or its parent's after some seconds. After each step on the disk an attempt looks whether more
weights lie there than ever may, and ends in a way of its own if so. The product knows nothing of it.
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

# Along the life of a search, with the call at which to kill. An attempt counts its calls anew, so low numbers reach
# every trial in turn.
POINTS = {
    "storage.database.migrations._took_a_step": 2,  # the store is made
    "storage.database.engine._prepare": 1,
    "studies.optuna_storage.RetryingStorage.__init__": 1,
    "optuna.create_study": 1,
    "studies.workers.worker_loop.open_study": 1,
    "storage.records.stage_records.begin": 1,
    "storage.files.file_store.FileStore.sweep": 1,
    "storage.records.trial_slots.take_slot": 1,  # a slot, and a trial for it
    "studies.workers.worker_loop.add_next_trial": 1,
    "storage.records.trial_slots.set_trial": 1,
    "studies.workers.worker_loop._start": 1,
    "studies.trials.objective.load_classifier": 1,  # a trial
    "transfer.training.finetune.FineTuning._step": 20,
    "studies.trials.heartbeat.Heartbeat.check": 2,
    "studies.trials.best_weights.BestWeights.write": 1,
    "optuna.trial.Trial.report": 2,
    "studies.sampling.pruners.should_prune": 1,
    "transfer.training.checkpoint.save_file": 2,  # its checkpoint
    "transfer.training.checkpoint._replace": 1,
    "os.rename": 3,
    "shutil.rmtree": 4,
    "studies.trials.objective._finish": 1,  # its end
    "studies.optuna_storage.RetryingStorage.set_trial_attributes": 1,
    "studies.dashboard.study_updates.show_trial": 1,
    "storage.files.file_store.FileStore.publish": 1,
    "storage.files.local_folder.put_in_place": 1,
    "storage.records.model_registry.add": 1,
    "optuna.study.Study.tell": 1,
    "studies.top_k_models.TopKModels.tidy": 2,
    "studies.trials.trial_state.remove_ended": 2,
    "storage.records.trial_slots.close_slot": 1,
    "storage.records.stage_records.finish": 1,
}
# Those that trials come by again and again: a kill there is never long in coming.
_NAMES = tuple(POINTS)
OF_A_TRIAL = _NAMES[
    _NAMES.index("storage.records.trial_slots.take_slot") : _NAMES.index("studies.top_k_models.TopKModels.tidy")
]
# Weights that others displaced: from the third trial on, and seldom.
REMOVALS = ("storage.records.model_registry.remove", "storage.files.file_store.FileStore.remove")
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
ENDS = {0: "finished", 130: "interrupted", -signal.SIGKILL: "killed"}


@dataclass(frozen=True)
class Kill:
    """Where an attempt ends. at: a function; call: its n-th; or seconds, where `at` is empty. by: the signal."""

    at: str = ""
    call: int = 1
    after: bool = False
    seconds: float = 0.0
    by: int = signal.SIGKILL


def search_with_kills(folder: Path, kills: Sequence[Kill], *, end: bool = True) -> list[str]:
    """Runs the search in `folder` through all the kills, and then to its end. Returns for each what became of it.

    "killed", "interrupted" (with status 130), or "finished" (the point was not reached: the search was done before).
    Raises where an attempt ended in any other way, or the last one failed.
    """
    from tests.helpers.small_project import environment

    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killing", json.dumps([asdict(kill) for kill in kills]), str(end)],
        cwd=folder,
        env=environment({"TOKENIZERS_PARALLELISM": "false"}),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: list[str] = json.loads(done.stdout.splitlines()[-1])
    return told


def searched(folder: Path) -> dict[str, Any]:
    """All that two searches are compared by, to the last bit, and what must not be left behind."""
    import hashlib

    import optuna

    from stages.plan.schema import read_plan
    from stages.runtime.run_context import open_run, store_url
    from storage.records import model_registry, stage_records, trial_slots
    from studies.optuna_storage import open_optuna

    run = open_run(read_plan(folder / "plan.yaml"))
    storage = open_optuna(store_url(run.plan))
    names = sorted(optuna.get_all_study_names(storage))
    record = stage_records.read(run.engine, run.plan.name, "search")
    assert record is not None
    assert record.result is not None
    models = model_registry.models(run.engine, run.plan.name)
    slots = [slot for name in names for slot in trial_slots.slots(run.engine, name)]
    return {
        "trials": {
            name: [
                (t.number, t.state.name, t.value, sorted(t.params.items()), sorted(t.intermediate_values.items()))
                for t in optuna.load_study(study_name=name, storage=storage).trials
            ]
            for name in names
        },
        "winner": record.result["winner"],
        "rows": record.result["rows"],
        "kept": {
            model.name: (
                model.value,
                hashlib.sha256((run.files.fetch(model.path) / "model.safetensors").read_bytes()).hexdigest(),
            )
            for model in models
        },
        "files": run.files.names(),
        "slots": [(slot.study, slot.slot, slot.trial, slot.state) for slot in slots],
        "scratch": sorted(path.name for path in run.scratch.glob("*/*")),
        "unfinished": len(list((run.root / "files" / ".writing").glob("*"))),
    }


def main() -> None:
    """The program: kills as JSON, then whether to end the search."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    kills = [Kill(**kill) for kill in json.loads(sys.argv[1])]
    forked_commands.import_all()
    # a checkpoint after each epoch, however short
    setattr(importlib.import_module("studies.trials.objective"), "EPOCH_SECONDS", 0.0)  # noqa: B010
    told = [_attempt(kill) for kill in kills]
    status = os.waitstatus_to_exitcode(os.waitpid(_fork(None), 0)[1]) if sys.argv[2] == "True" else 0
    if status != 0:
        sys.exit(f"the search did not end well: {status}\n{Path('search.log').read_text(encoding='utf-8')}")
    print(json.dumps(told))


def _attempt(kill: Kill) -> str:
    pid = _fork(kill)
    if not kill.at:
        time.sleep(kill.seconds)
        os.kill(pid, kill.by)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in ENDS:
        sys.exit(f"{kill}: status {status}\n{Path('search.log').read_text(encoding='utf-8')}")
    return ENDS[status]


def _fork(kill: Kill | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    log = os.open("search.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["moodline", "search", "plan.yaml"]
    seen: list[dict[str, int]] = []
    for at in DISK_STEPS:
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
    owner, name = _owner(at)
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


def _owner(path: str) -> tuple[Any, str]:
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
            print(f"too much on disk after {real.__name__}{args}: {seen[-1]}", file=sys.stderr, flush=True)
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
