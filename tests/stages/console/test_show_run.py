"""What a run and its searches came to is printed by its type; a worker's result has no table."""

import pytest

from stages.console.show_run import show_run, show_stage
from stages.results.further_result import FurtherResult, FurtherWinner
from stages.results.run_result import RunResult
from stages.results.status_result import StageState
from stages.results.study_results import MeasuredWinner, ModelScores, SearchResult, StudiesResult, StudySummary

WINNER = {
    "candidate": "bert",
    "study": "small · search · bert",
    "trial": 2,
    "value": 0.75,
    "name": "search/bert/trial-2",
}
STUDY = StudySummary(
    name="small · search · bert", target=3, complete=2, pruned=1, failed=0, running=0, waiting=0, best=None
)
ROW = ModelScores(
    model="bert, untuned",
    stage="search",
    split="validation",
    n=1200,
    accuracy=0.8,
    macro_f1=0.7,
    weighted_f1=0.75,
    low=0.6,
    high=0.8,
    note="a simulation",
)


def test_a_run_shows_its_stages_the_table_and_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    stages = [StageState(stage="search", state="done", seconds=12.34)]
    show_run(
        RunResult(plan="/p/plan.yaml", workspace="/p/runs/small", stages=stages, results=[ROW], page="/p/index.html")
    )
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert "search done 12.3" in words
    assert "bert, untuned validation 1,200 0.800 0.700 0.600 to 0.800" in words
    assert "search: a simulation" in printed
    assert "page: /p/index.html" in printed
    assert "moodline dashboard /p/plan.yaml" in printed


def test_a_search_shows_its_studies_its_winner_and_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_stage(SearchResult(studies=[STUDY], winner=MeasuredWinner(**WINNER), rows=[ROW]))
    printed = capsys.readouterr().out
    assert "search · bert" in printed
    assert "3/3" in printed
    assert "winner: bert, trial 2, 0.7500" in printed
    assert "bert, untuned" in printed


@pytest.mark.parametrize(
    "result",
    [
        SearchResult(studies=[STUDY], winner=MeasuredWinner(**WINNER), rows=[]),
        FurtherResult(studies=[STUDY], winner=FurtherWinner(**WINNER), target="gold"),
        StudiesResult(studies=[STUDY], winner=MeasuredWinner(**WINNER)),
    ],
)
def test_a_workers_result_shows_studies_and_winner_and_no_table(
    capsys: pytest.CaptureFixture[str], result: StudiesResult
) -> None:
    show_stage(result)
    printed = capsys.readouterr().out
    assert "winner: bert, trial 2, 0.7500" in printed
    assert "macro-F1" not in printed
