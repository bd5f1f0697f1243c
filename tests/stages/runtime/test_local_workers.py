"""Further workers of a search: started, heard, and ended with their leader; devices dealt out."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from stages.runtime import local_workers
from stages.runtime.gpu_allocation import ALL_GPUS, take_gpu
from stages.runtime.local_workers import LocalWorkers


class Heard:
    """What a leader's report was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for cli.py; write what a member does."""
    program = tmp_path / "cli.py"
    monkeypatch.setattr(local_workers, "CLI", program)
    return program


def wait_for(line: str, heard: Heard) -> None:
    ends = time.monotonic() + 240
    while line not in heard.lines:
        assert time.monotonic() < ends, heard.lines
        time.sleep(0.01)


def test_members_get_the_leaders_words_and_are_heard(member: Path) -> None:
    member.write_text("import sys; print(*sys.argv[1:], file=sys.stderr)")
    heard = Heard()
    with LocalWorkers(["plan.yaml", "--set", "seed=1"], 2, heard) as workers:  # type: ignore[arg-type]
        workers.start()
        for number in (2, 3):
            wait_for(f"worker {number}: worker plan.yaml --set seed=1 --member-of {os.getpid()}", heard)


def test_a_member_that_fails_says_why_and_is_started_again_with_the_next_study(member: Path) -> None:
    member.write_text("import sys; sys.exit('moodline: the GPU is gone')")
    heard = Heard()
    with LocalWorkers(["plan.yaml"], 1, heard) as workers:  # type: ignore[arg-type]
        workers.start()
        wait_for("worker 2 ended with an error; the search goes on without it", heard)
        assert heard.lines[0] == "worker 2: moodline: the GPU is gone"
        heard.lines.clear()
        workers.start()
        wait_for("worker 2 ended with an error; the search goes on without it", heard)


def test_when_the_leader_is_interrupted_its_members_are_too(member: Path) -> None:
    member.write_text(
        textwrap.dedent("""
            import pathlib, signal, sys, time
            def stop(*_):
                pathlib.Path(__file__).with_name("saved").touch()
                sys.exit(130)
            signal.signal(signal.SIGTERM, stop)
            print("ready", file=sys.stderr, flush=True)
            time.sleep(120)
        """)
    )
    heard = Heard()

    def interrupted() -> None:
        with LocalWorkers(["plan.yaml"], 1, heard) as workers:  # type: ignore[arg-type]
            workers.start()
            wait_for("worker 2: ready", heard)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert member.with_name("saved").exists()
    assert heard.lines == ["worker 2: ready"]  # no fault, and no second command to go on with


def test_a_member_ends_soon_after_its_leader_was_killed() -> None:
    root = str(Path(__file__).parents[3])
    code = "import os, sys, time; sys.path.insert(0, sys.argv[1])\n"
    leader = code + (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1], str(os.getpid())])\n"
        "print(child.pid, flush=True); time.sleep(120)"
    )
    member = code + "from stages.runtime.local_workers import end_with; end_with(int(sys.argv[2])); time.sleep(120)"
    process = subprocess.Popen([sys.executable, "-c", leader, root, member], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.communicate()
    ends = time.monotonic() + 240
    while _runs(pid):
        assert time.monotonic() < ends
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("visible", [None, "4,7,GPU-8f2a"], ids=["all", "some"])
def test_the_leader_and_its_members_take_a_gpu_each(
    member: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None
) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", ALL_GPUS):
        monkeypatch.setenv(name, "")  # so that what is set here goes at the end
        monkeypatch.delenv(name)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    member.write_text(
        textwrap.dedent(f"""
            import os, sys, time, types
            from pathlib import Path
            def count():
                return len(os.environ["CUDA_VISIBLE_DEVICES"].split(","))
            sys.modules["torch"] = types.SimpleNamespace(cuda=types.SimpleNamespace(device_count=count))
            sys.path.insert(0, {str(Path(__file__).parents[3])!r})
            from stages.runtime.gpu_allocation import take_gpu
            def message(text):
                print(text, "seen:", os.environ["CUDA_VISIBLE_DEVICES"], file=sys.stderr, flush=True)
            take_gpu(Path({str(tmp_path)!r}), types.SimpleNamespace(message=message))
            while not Path({str(tmp_path / "over")!r}).exists():
                time.sleep(0.02)
        """)
    )
    names, heard = (visible or "0,1,2").split(","), Heard()
    take_gpu(tmp_path, heard)  # type: ignore[arg-type]
    assert heard.lines == [f"on GPU {names[0]} of 3"]
    with LocalWorkers(["plan.yaml"], 2, heard) as workers:  # type: ignore[arg-type]
        workers.start()
        ends = time.monotonic() + 240
        while len(heard.lines) < 3:
            assert time.monotonic() < ends, heard.lines
            time.sleep(0.01)
        (tmp_path / "over").touch()
    told = sorted(line.partition(": ")[2] for line in heard.lines[1:])
    assert told == [f"on GPU {name} of 3 seen: {name}" for name in names[1:]]
