"""What is shown of a study: the best trial against the baseline, with intervals."""

import pytest

from stages.console.show_run import show_stage
from stages.console.show_studies import show_studies
from stages.results.study_results import MeasuredWinner, SearchResult
from tests.helpers.shown_studies import interval, study, trial


def test_a_search_shows_intervals_of_winner_best_and_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    known = {
        "candidate": "bert",
        "study": "small · search · bert",
        "trial": 1,
        "value": 0.7,
        "name": "search/bert/trial-1",
    }
    winner = MeasuredWinner.model_validate({**known, "path": "there", "interval": interval(0.7)})
    show_stage(SearchResult(studies=[study(trial(1, 0.7), trial(0, 0.5))], winner=winner, rows=[]))
    out = capsys.readouterr().out
    assert "best 0.7000 (0.6000 to 0.8000), baseline 0.5000 (0.4000 to 0.6000)" in out
    assert "winner: bert, trial 1, 0.7000 (0.6000 to 0.8000)" in out


def test_the_best_trial_that_is_the_baseline_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_studies([study(trial(0, 0.5), trial(0, 0.5))])
    assert "best and baseline 0.5000 (0.4000 to 0.6000)\n" in capsys.readouterr().out
