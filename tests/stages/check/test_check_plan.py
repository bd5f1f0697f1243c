"""`moodline check` reports what would stop a run, and what is unlikely to be meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stages.check.check_plan import check_file, check_plan
from stages.infer.run_infer import run_infer
from stages.plan.schema import read_plan
from stages.runtime.progress import Advance
from tests.helpers.classifying_project import ByRule, lines, make_comment_project
from tests.helpers.labelling_project import make_labelling

SOURCES = "comments=[{path: 'comments/*', id: id, author: who}]"
BY_FILM = "index={cluster: source}"
NOTE = "15 of 20 comments have a masked author (kim****), so that one name may be many people: set index.cluster"


def test_a_plan_that_cannot_be_read_has_problems_alone(tmp_path: Path) -> None:
    make_labelling(tmp_path)
    result = check_file(tmp_path / "plan.yaml", ["search.trials=none", "nonsense=1"])
    assert len(result.problems) == 2
    assert (result.rows, result.labels, result.dropped, result.would_run) == ({}, {}, {}, [])


@dataclass
class Told:
    """Remembers what was said."""

    said: list[str] = field(default_factory=list)

    def message(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        yield lambda done: None


def test_a_plan_that_resamples_masked_names_is_told_by_check_and_infer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_comment_project(tmp_path, monkeypatch=monkeypatch)
    names = ["kim****"] * 15 + ["kim"] * 5
    project.raw("a.jsonl", lines(*({"id": i, "text": f"good {i}", "who": who} for i, who in enumerate(names))))
    for overrides, is_told in (([SOURCES], True), ([SOURCES, BY_FILM], False)):
        checked = check_plan(read_plan(project.folder / "plan.yaml", overrides))
        assert any(NOTE in note for note in checked.notes) is is_told
        assert "comments: masked author" not in checked.dropped
        run = replace(project.open(*overrides), report=(report := Told()))
        result = run_infer(run, ByRule())
        assert any(NOTE in line for line in report.said) is is_told
        assert (result.rows, result.skipped) == (20, {})
        for name in result.shards:
            run.files.remove(name)
