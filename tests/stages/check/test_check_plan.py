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
from tests.helpers.labelling_project import LABELS, make_labelling, write

SOURCES = "comments=[{path: 'comments/*', id: id, author: who}]"
BY_FILM = "index={cluster: source}"
NOTE = "15 of 20 comments have a masked author (kim****), so that one name may be many people: set index.cluster"


def test_a_plan_that_cannot_be_read_has_problems_alone(tmp_path: Path) -> None:
    make_labelling(tmp_path)
    result = check_file(tmp_path / "plan.yaml", ["search.trials=none", "nonsense=1"])
    assert len(result.problems) == 2
    assert (result.rows, result.labels, result.dropped, result.would_run) == ({}, {}, {}, [])


@dataclass
class Messages:
    """Remembers a stage's messages."""

    texts: list[str] = field(default_factory=list)

    def message(self, text: str) -> None:
        self.texts.append(text)

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        yield lambda done: None


def test_a_plan_that_resamples_masked_names_is_noted_by_check_and_infer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_comment_project(tmp_path, monkeypatch=monkeypatch)
    names = ["kim****"] * 15 + ["kim"] * 5
    project.raw("a.jsonl", lines(*({"id": i, "text": f"good {i}", "who": who} for i, who in enumerate(names))))
    for overrides, is_noted in (([SOURCES], True), ([SOURCES, BY_FILM], False)):
        checked = check_plan(read_plan(project.folder / "plan.yaml", overrides))
        assert any(NOTE in note for note in checked.notes) is is_noted
        assert "comments: masked author" not in checked.dropped
        run = replace(project.open(*overrides), report=(report := Messages()))
        result = run_infer(run, ByRule())
        assert any(NOTE in line for line in report.texts) is is_noted
        assert (result.rows, result.skipped) == (20, {})
        for name in result.shards:
            run.files.remove(name)


def test_rows_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    plan = make_labelling(tmp_path)
    texts = [*[f"text {i}" for i in range(60)], "", "   ", "NaN", "no label here"]
    write(tmp_path / "original.csv", text=texts, label=[*[LABELS[i % 3] for i in range(63)], ""])
    dropped = check_file(plan, ()).dropped
    assert dropped["train: empty text"] == 3
    assert dropped["train: no label"] == 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("pseudo_label.sources=[{path: nowhere.csv}]", "nowhere.csv"),
        ("pseudo_label.labeller={model: nobody/llm}", "nobody/llm"),
        ("comments=[{path: comments.csv, time: tiem}]", "comments[0].time: no column 'tiem' in comments.csv"),
        ("comments=[{path: comments.csv, time: text}]", "comments[0].time: no time in column 'text' of comments.csv"),
        ("store=mysql://me:s3cret@db/moods", "name a PostgreSQL database"),
        ("files=nowhere://bucket", "nowhere://bucket"),
        ("gold={path: none.csv, id: id}", "gold.path: no file 'none.csv'"),
        ("candidates=[./none]", "no such folder"),
    ],
)
def test_what_would_stop_a_run_is_a_problem_and_nothing_is_made(tmp_path: Path, setting: str, words: str) -> None:
    problems = " ".join(check_file(make_labelling(tmp_path), (setting,)).problems)
    assert words in problems
    assert "s3cret" not in problems
    assert not (tmp_path / "runs").exists()
