"""The bytes of a run by purpose."""

from collections.abc import Callable
from pathlib import Path

from stages.reports.run_status import disk
from stages.runtime.run_context import Run

NOTE_BYTES = 200  # at most, of what is noted beside a published file


def test_bytes_are_counted_by_what_they_are_for(a_run: Callable[..., Run], tmp_path: Path) -> None:
    run = a_run()
    before = disk(run)
    for name, size in (("models/a/0", 100), ("shards/f/0.parquet", 30), ("artifacts/x", 7), ("unknown/y", 1)):
        source = tmp_path / "source"
        source.write_bytes(b"x" * size)
        run.files.publish(source, name)
    (run.scratch / "trial").mkdir(parents=True, exist_ok=True)
    (run.scratch / "trial" / "checkpoint").write_bytes(b"x" * 50)
    (run.root / "moodline.db-extra").write_bytes(b"x" * 9)
    (run.root / "notes.txt").write_bytes(b"x" * 2)
    grown = {name: size - before[name] for name, size in disk(run).items()}
    assert grown["weights"] >= 100
    assert grown["shards"] >= 30
    assert grown["artifacts"] >= 7
    assert (grown["checkpoints"], grown["cache"]) == (50, 0)
    assert grown["store"] == 9
    assert grown["other"] >= 3
    assert sum(grown.values()) < 100 + 30 + 7 + 1 + 50 + 9 + 2 + 4 * NOTE_BYTES
