"""The plan's csv files of series and events: all that is wrong with them is told at once, each by its place."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stages.monitor.context_builder import check_covariates, covariate_fingerprints
from stages.monitor.schema.index_settings import IndexSettings
from transfer.errors import UserError, UserErrors

SERIES: list[dict[str, str]] = [{"path": "rate.csv", "name": "rate"}]
EVENTS: list[dict[str, str]] = [{"path": "events.csv"}, {"path": "more.csv"}]


def plan_in(folder: Path, series: object = SERIES, events: object = EVENTS) -> Any:
    return SimpleNamespace(base=folder, index=IndexSettings.model_validate({"series": series, "events": events}))


def test_each_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "rate.csv").write_text("date,value\n2024-03,high\n", "utf-8")
    (tmp_path / "more.csv").write_text("date,event\n2024-03-01,snow\n", "utf-8")
    with pytest.raises(UserErrors) as raised:
        check_covariates(plan_in(tmp_path))
    first, second = raised.value.problems
    assert "index.series[0]" in first
    assert "'high' is no number" in first
    assert "index.events[0].path: cannot read" in second
    with pytest.raises(UserError, match=r"index.events\[0\]"):
        check_covariates(plan_in(tmp_path, series=[]))


def test_files_that_can_be_read_are_no_problem_and_a_change_is_seen(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("date,event\n2024-03-01,snow\n", "utf-8")
    plan = plan_in(tmp_path, series=[], events=EVENTS[1:])
    check_covariates(plan)
    before = covariate_fingerprints(plan)
    (tmp_path / "more.csv").write_text("date,event\n2024-03-01,ice\n", "utf-8")
    assert covariate_fingerprints(plan) != before
