"""A demo in a folder: what it holds, that it is made once, and what it refuses."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.demo.corpus import FULL, LABELS, SMALL, Corpus
from stages.demo.make_demo import MODELS, PLAN, STAMP, make_demo, plan_text
from stages.plan.schema import read_plan
from transfer.errors import UserError


def nothing(line: str) -> None:
    """Reports nothing."""


def test_the_plan_is_valid_and_everything_that_it_names_is_there(demo: Path) -> None:
    plan = read_plan(demo / PLAN)
    assert plan.labels == list(LABELS)
    named = [plan.original.train[0].path, plan.comments[0].path, plan.gold.path if plan.gold else None]
    named += [*plan.candidates, plan.pseudo_label.labeller.model if plan.pseudo_label else None]
    assert all((demo / str(path)).exists() for path in named)
    assert all(
        "#" in line or ":" in line
        for line in (demo / PLAN).read_text(encoding="utf-8").split("\n")
        if "- " not in line and line.strip()
    )


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_language_has_a_valid_plan(language: str, tmp_path: Path) -> None:
    (tmp_path / PLAN).write_text(plan_text(language, 7, SMALL), encoding="utf-8")
    plan = read_plan(tmp_path / PLAN)
    assert plan.seed == 7
    assert plan.pseudo_label is not None
    assert plan.pseudo_label.simulation


def test_true_emotions_are_in_no_file_but_gold(demo: Path, corpus: Corpus) -> None:
    comments = pq.read_table(demo / "data" / "comments.parquet")
    assert comments.column_names == ["id", "text", "written_at", "author", "video"]
    assert comments.num_rows == len(corpus.comments)
    assert sorted(path.name for path in (demo / "data").iterdir()) == ["comments.parquet", "gold.csv", "original.csv"]
    with (demo / "data" / "gold.csv").open(encoding="utf-8", newline="") as file:
        gold = list(csv.DictReader(file))
    assert [(row["id"], row["label"]) for row in gold] == [(comment.id, label) for comment, label in corpus.gold]


def test_a_demo_that_is_there_is_left_as_it_is(demo: Path) -> None:
    before = (demo / "data" / "gold.csv").stat().st_mtime_ns
    reported: list[str] = []
    assert make_demo(demo, "ko", 13, reported.append, size=SMALL) == demo / PLAN
    assert (demo / "data" / "gold.csv").stat().st_mtime_ns == before
    assert "already" in reported[0]


def test_the_same_seed_gives_the_same_files_models_included(demo: Path, tmp_path: Path) -> None:
    make_demo(tmp_path / "again", "ko", 13, nothing, size=SMALL)
    files = sorted(path.relative_to(demo) for path in demo.rglob("*") if path.is_file())
    assert len(files) > 15
    assert [file for file in files if (demo / file).read_bytes() != (tmp_path / "again" / file).read_bytes()] == []


def test_a_demo_whose_making_was_interrupted_is_made_again(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    stamp = (demo / STAMP).read_text(encoding="utf-8").replace('"complete": true', '"complete": false')
    (folder / STAMP).write_text(stamp, encoding="utf-8")
    make_demo(folder, "ko", 13, nothing, size=SMALL)
    assert (folder / "data" / "gold.csv").read_bytes() == (demo / "data" / "gold.csv").read_bytes()
    assert '"complete": true' in (folder / STAMP).read_text(encoding="utf-8")


def test_another_demo_in_the_folder_is_refused(demo: Path) -> None:
    with pytest.raises(UserError, match="another demo: language ko, seed 13"):
        make_demo(demo, "en", 13, nothing, size=SMALL)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="neither empty"):
        make_demo(tmp_path, "ko", 13, nothing, size=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no demo in 'fr'"):
        make_demo(tmp_path / "demo", "fr", 13, nothing, size=SMALL)
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written: Not a directory"):
        make_demo(tmp_path / "file" / "demo", "ko", 13, nothing, size=SMALL)


def test_a_demo_made_by_0_1_0_goes_on(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "earlier"
    folder.mkdir()
    stamp = json.loads((demo / STAMP).read_text(encoding="utf-8"))
    stamp["size"] |= {"diary": 7000, "vocabulary": 2000, "hidden": 64, "pretraining": 250, "schooling": 400}
    (folder / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    reported: list[str] = []
    make_demo(folder, "ko", 13, reported.append, size=SMALL)
    assert "already" in reported[0]
    with pytest.raises(UserError, match="another demo"):
        make_demo(folder, "ko", 13, nothing, size=FULL)


def test_another_seed_has_other_texts_and_the_same_models(demo: Path, tmp_path: Path) -> None:
    make_demo(tmp_path / "other", "ko", 14, nothing, size=SMALL)
    other = tmp_path / "other"
    files = [path.relative_to(demo) for path in demo.rglob("*") if path.is_file() and path.name != STAMP]
    changed = {file.as_posix() for file in files if (demo / file).read_bytes() != (other / file).read_bytes()}
    assert changed == {"data/comments.parquet", "data/gold.csv", "data/original.csv", "plan.yaml"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_demo_has_the_models_of_its_language(language: str, tmp_path: Path) -> None:
    make_demo(tmp_path / "demo", language, 13, nothing, size=SMALL)
    shipped = {file.relative_to(MODELS / language): file.read_bytes() for file in (MODELS / language).glob("*/*")}
    copied = (tmp_path / "demo" / "models").glob("*/*")
    assert {file.relative_to(tmp_path / "demo" / "models"): file.read_bytes() for file in copied} == shipped
    assert sorted({file.parts[0] for file in shipped}) == ["bert", "electra", "gemma", "roberta"]
