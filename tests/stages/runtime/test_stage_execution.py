from collections.abc import Callable

import pytest

from stages.results.stage_result import StageResult
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import result_of, run_stage
from storage.records import stage_records
from transfer.errors import UserError

RunIt = Callable[..., Run]


class Search(StageResult):
    stage = "search"
    times: int


class Monitor(Search):
    stage = "monitor"


class Work:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Monitor:
        self.times += 1
        return Monitor(times=self.times)


def test_a_stage_that_is_done_is_skipped_and_gives_the_same_result(a_run: RunIt) -> None:
    run, work = a_run(), Work()
    first = run_stage(run, Search, {"seed": 1}, {"trials": 2}, work)
    assert run_stage(run, Search, {"seed": 1}, {"trials": 2}, work) == first
    assert work.times == 1
    assert result_of(run, "search")["times"] == 1


def test_what_only_adds_is_gone_on_with(a_run: RunIt) -> None:
    run, work = a_run(), Work()
    run_stage(run, Search, {"seed": 1}, {"trials": 2}, work)
    run_stage(run, Search, {"seed": 1}, {"trials": 3}, work)
    assert work.times == 2


def test_a_changed_plan_is_refused_by_what_changed(a_run: RunIt) -> None:
    run, work = a_run(), Work()
    run_stage(run, Search, {"seed": 1, "search.space": {"epochs": 3}}, {}, work)
    with pytest.raises(UserError) as caught:
        run_stage(run, Search, {"seed": 1, "search.space": {"epochs": 4}}, {}, work)
    assert 'search.space: was {"epochs": 3}, is {"epochs": 4}' in str(caught.value)
    assert "--anew search" in str(caught.value)
    assert "seed" not in str(caught.value)
    assert work.times == 1


def test_a_stage_whose_results_are_kept_apart_is_done_again(a_run: RunIt) -> None:
    run, work = a_run(), Work()
    run_stage(run, Monitor, {"model": "a"}, {}, work)
    run_stage(run, Monitor, {"model": "b"}, {}, work)
    assert work.times == 2


def test_a_result_whose_files_are_gone_is_made_again(a_run: RunIt) -> None:
    run, work = a_run(), Work()
    for _ in range(2):
        run_stage(run, Monitor, {}, {}, work, is_there=lambda result: False)
    assert work.times == 2


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt(), "interrupted"), (RuntimeError("full"), "failed")])
def test_how_a_stage_ended_is_recorded(a_run: RunIt, error: BaseException, state: str) -> None:
    run = a_run()

    def fails() -> Search:
        raise error

    with pytest.raises(type(error)):
        run_stage(run, Search, {}, {}, fails)
    record = stage_records.read(run.engine, run.plan.name, "search")
    assert record is not None
    assert record.state == state
    with pytest.raises(UserError, match=r"moodline search plan\.yaml"):
        result_of(run, "search")
    assert run_stage(run, Search, {}, {}, Work()).times == 1
