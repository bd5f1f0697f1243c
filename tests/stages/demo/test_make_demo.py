"""A world in a folder: what it holds, that it is made once, and what it refuses."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.demo.corpus import LABELS, Corpus
from stages.demo.demo_size import SMALL
from stages.demo.make_demo import PLAN, STAMP, make_world
from stages.plan.schema import read_plan
from transfer.errors import UserError


def never(line: str) -> None:
    """Hears nothing."""


def test_the_plan_is_valid_and_everything_that_it_names_is_there(world: Path) -> None:
    plan = read_plan(world / PLAN)
    assert plan.labels == list(LABELS)
    named = [plan.original.train[0].path, plan.comments[0].path, plan.gold.path if plan.gold else None]
    named += [*plan.candidates, plan.pseudo_label.labeller.model if plan.pseudo_label else None]
    assert all((world / str(path)).exists() for path in named)
    assert all(
        "#" in line or ":" in line
        for line in (world / PLAN).read_text(encoding="utf-8").split("\n")
        if "- " not in line and line.strip()
    )


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_language_has_a_valid_plan(language: str, tmp_path: Path) -> None:
    from stages.demo.demo_plan import plan_text

    (tmp_path / PLAN).write_text(plan_text(language, 7, SMALL), encoding="utf-8")
    plan = read_plan(tmp_path / PLAN)
    assert plan.seed == 7
    assert plan.pseudo_label is not None
    assert plan.pseudo_label.simulation


def test_true_emotions_are_in_no_file_but_gold(world: Path, corpus: Corpus) -> None:
    comments = pq.read_table(world / "data" / "comments.parquet")
    assert comments.column_names == ["id", "text", "written_at", "author", "video"]
    assert comments.num_rows == len(corpus.comments)
    assert sorted(path.name for path in (world / "data").iterdir()) == ["comments.parquet", "gold.csv", "original.csv"]
    with (world / "data" / "gold.csv").open(encoding="utf-8", newline="") as file:
        gold = list(csv.DictReader(file))
    assert [(row["id"], row["label"]) for row in gold] == [(comment.id, label) for comment, label in corpus.gold]


def test_a_world_that_is_there_is_left_as_it_is(world: Path) -> None:
    before = (world / "data" / "gold.csv").stat().st_mtime_ns
    said: list[str] = []
    assert make_world(world, "ko", 13, said.append, size=SMALL) == world / PLAN
    assert (world / "data" / "gold.csv").stat().st_mtime_ns == before
    assert "already" in said[0]


def test_the_same_seed_gives_the_same_files_models_included(world: Path, tmp_path: Path) -> None:
    make_world(tmp_path / "again", "ko", 13, never, size=SMALL)
    files = sorted(path.relative_to(world) for path in world.rglob("*") if path.is_file())
    assert len(files) > 15
    assert [file for file in files if (world / file).read_bytes() != (tmp_path / "again" / file).read_bytes()] == []


def test_a_world_whose_making_was_interrupted_is_made_again(world: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    stamp = (world / STAMP).read_text(encoding="utf-8").replace('"complete": true', '"complete": false')
    (folder / STAMP).write_text(stamp, encoding="utf-8")
    make_world(folder, "ko", 13, never, size=SMALL)
    assert (folder / "data" / "gold.csv").read_bytes() == (world / "data" / "gold.csv").read_bytes()
    assert '"complete": true' in (folder / STAMP).read_text(encoding="utf-8")


def test_another_demo_in_the_folder_is_refused(world: Path) -> None:
    with pytest.raises(UserError, match="another demo: language ko, seed 13"):
        make_world(world, "en", 13, never, size=SMALL)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="neither empty"):
        make_world(tmp_path, "ko", 13, never, size=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no demo in 'fr'"):
        make_world(tmp_path / "demo", "fr", 13, never, size=SMALL)
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written: Not a directory"):
        make_world(tmp_path / "file" / "demo", "ko", 13, never, size=SMALL)
