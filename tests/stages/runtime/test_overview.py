"""How far a run has come: the states of its stages, and the table of the furthest one."""

from collections.abc import Callable
from typing import Any

from stages.runtime.run_context import Run
from stages.runtime.stage_order import overview, table_rows
from storage.records import stage_records

OpenRun = Callable[..., Run]


def row(model: str, split: str, stage: str = "search") -> dict[str, Any]:
    figures = dict.fromkeys(("accuracy", "macro_f1", "weighted_f1"), 0.5)
    return {"model": model, "stage": stage, "split": split, "n": 10, **figures}


def done(run: Run, stage: str, *rows: dict[str, Any]) -> None:
    stage_records.begin(run.engine, run.plan.name, stage, "print", {})
    stage_records.finish(run.engine, run.plan.name, stage, 1.234, {"rows": list(rows)})


def test_stages_come_in_their_order_with_state_and_seconds(a_run: OpenRun) -> None:
    run = a_run("pseudo_label=null")
    done(run, "search", row("bert", "validation"))
    found = overview(run)
    assert [(stage.stage, stage.state, stage.seconds) for stage in found.stages] == [
        ("search", "done", 1.23),
        ("ensemble", "waiting", 0.0),
        ("infer", "waiting", 0.0),
        ("monitor", "waiting", 0.0),
    ]
    assert [found.model for found in found.results] == ["bert"]


def test_the_table_is_that_of_the_furthest_stage(a_run: OpenRun) -> None:
    run = a_run("distil={encoder: a}")
    assert table_rows(run) == []
    done(run, "search", row("bert", "validation"))
    done(run, "distil", row("small", "test"), row("small", "validation"))
    assert [found.model for found in table_rows(run)] == ["bert"]
    done(run, "ensemble", row("mean", "validation"), row("mean", "test"))
    assert [(found.model, found.split) for found in table_rows(run)] == [
        ("mean", "validation"),
        ("small", "validation"),
        ("mean", "test"),
        ("small", "test"),
    ]
    assert [found.model for found in table_rows(a_run())] == ["mean", "mean"]
