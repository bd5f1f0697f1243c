"""Every comment is classified once, in its order, whatever happens meanwhile; what cannot be read is listed."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from stages.infer.engine_selection import choose_engines
from stages.infer.run_infer import run_infer
from tests.helpers.classifying_project import ByRule, CommentProject, lines, make_comment_project, rows, rule
from tests.helpers.tiny_encoders import LABELS, easy_texts
from transfer.errors import UserError, UserErrors

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(60, 1)[0])]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommentProject:
    return make_comment_project(tmp_path, monkeypatch=monkeypatch)


def test_shards_hold_label_probabilities_entropy_and_model_in_the_order_of_the_input(project: CommentProject) -> None:
    project.write("a.parquet", TEXTS[:25])
    run = project.open()
    result = run_infer(run, ByRule())
    assert (result.rows, result.unique, len(result.shards)) == (25, 25, 3)
    found = rows(run, result)
    assert [row["id"] for row in found] == [f"c{i}" for i in range(25)]
    expected = rule(TEXTS[:25])
    for row, p in zip(found, expected, strict=True):
        assert [row[f"p_{label}"] for label in LABELS] == pytest.approx(p, abs=1e-7)
        assert row["label"] == LABELS[int(p.argmax())]
        assert row["entropy"] == pytest.approx(-(p * np.log(p)).sum(), abs=1e-6)
        assert row["model"] == result.model


def test_the_same_text_is_classified_once_across_shards_and_files(project: CommentProject) -> None:
    project.write("a.parquet", [*TEXTS[:20], *TEXTS[5:15]])
    project.write("b.parquet", [TEXTS[3].upper(), *TEXTS[20:29]], first=30)
    run, classifier = project.open(), ByRule()
    result = run_infer(run, classifier)
    assert result.rows == 40
    assert result.unique == 29
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[:29])
    found = {row["id"]: row for row in rows(run, result)}
    for copy, original in [*((f"c{20 + i}", f"c{5 + i}") for i in range(10)), ("c30", "c3")]:
        assert [found[copy][f"p_{label}"] for label in LABELS] == [found[original][f"p_{label}"] for label in LABELS]


@pytest.mark.parametrize("shard", range(4))
def test_an_interrupted_inference_goes_on_where_it_was_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    outcomes = []
    for place in ("whole", "broken"):
        project = make_comment_project(tmp_path / place, monkeypatch=monkeypatch)
        project.write("a.parquet", [*TEXTS[:20], *TEXTS[5:12], *TEXTS[20:23], *TEXTS[:8], *TEXTS[23:25]])
        if place == "broken":
            with pytest.raises(KeyboardInterrupt):
                run_infer(project.open(), ByRule(breaks_at=shard))
        run, again = project.open(), ByRule()
        result = run_infer(run, again)
        outcomes.append((rows(run, result), result.rows, result.unique, result.skipped))
        if place == "broken":
            assert len(again.read) == 4 - shard  # shards that were written are not done again
    assert outcomes[0] == outcomes[1]


def test_comments_added_later_are_classified_alone_even_in_a_file_that_grew(project: CommentProject) -> None:
    project.raw("a.jsonl", lines(*({"id": i, "text": text, "time": "2024-03-01"} for i, text in enumerate(TEXTS[:15]))))
    project.write("b.parquet", TEXTS[30:40], first=30)
    run_infer(project.open("comments=[{path: 'comments/*', id: id}]"), ByRule())
    project.raw("a.jsonl", lines(*({"id": i, "text": text, "time": "2024-03-01"} for i, text in enumerate(TEXTS[:22]))))
    project.write("c.parquet", TEXTS[40:50], first=40)
    run, classifier = project.open("comments=[{path: 'comments/*', id: id}]"), ByRule()
    result = run_infer(run, classifier)
    assert result.rows == 42
    assert [text for shard in classifier.read for text in shard if shard] != []
    assert sorted(text for shard in classifier.read for text in shard) == sorted([*TEXTS[15:22], *TEXTS[40:50]])


def test_a_file_that_comes_while_others_are_classified_is_left_for_the_next_time(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("b.parquet", TEXTS[:15])

    def meanwhile(*given: Any) -> Any:
        project.write("a.parquet", TEXTS[20:35], first=20)  # before the other in the order of names
        return choose_engines(*given)

    with monkeypatch.context() as patch:
        patch.setattr("stages.infer.run_infer.choose_engines", meanwhile)
        run = project.open()
        assert [row["id"] for row in rows(run, run_infer(run, ByRule()))] == [f"c{i}" for i in range(15)]
    run, classifier = project.open(), ByRule()
    assert [row["id"] for row in rows(run, run_infer(run, classifier))] == [
        f"c{i}" for i in [*range(20, 35), *range(15)]
    ]
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[20:35])


def test_broken_rows_files_and_encodings_are_counted_listed_and_skipped(project: CommentProject) -> None:
    good = [{"id": f"j{i}", "text": TEXTS[i], "time": "2024-03-01", "video": "v"} for i in range(12)]
    project.raw("a.jsonl", lines(*good[:5], '{"id": "x", "text": "half', *good[5:9], "[1, 2]", *good[9:]))
    csv = ["id,text,time,video", *(f"k{i},{TEXTS[20 + i]},2024-03-01,v" for i in range(6))]
    csv.insert(3, "kx,one,2024-03-01,v,too many")
    body = "\n".join(csv).encode() + b"\nky,\xb3\xaa\xbb\xdb,2024-03-01,v\nkz,,2024-03-01,v\n"
    project.raw("b.csv", body)
    project.raw("c.csv", "\n".join(["id,text,time,video", *["l,정말 좋았어요,2024-03-01,v"] * 9]).encode("cp949"))
    project.write("d.parquet", TEXTS[40:45], first=40)
    project.raw("e.parquet", b"PAR1 and no more")
    run = project.open()
    result = run_infer(run, ByRule())
    assert [row["id"] for row in rows(run, result)] == [
        *(f"j{i}" for i in range(12)),
        *(f"k{i}" for i in range(6)),
        *(f"c{i}" for i in range(40, 45)),
    ]
    assert result.skipped == {"broken row": 4, "empty text": 1, "broken file": 2}
    listed = [json.loads(line) for line in (run.results / "skipped.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(fault["file"], fault["line"]) for fault in listed if fault["line"]} == {
        ("comments/a.jsonl", 6),
        ("comments/a.jsonl", 11),
        ("comments/b.csv", 4),
        ("comments/b.csv", 9),
    }
    assert {fault["file"] for fault in listed if fault["line"] is None} == {"c", "e"}
    assert "half" not in json.dumps(listed)
    assert [fault.model_dump() for fault in result.faults] == listed


def test_rows_after_a_broken_one_keep_their_numbers(project: CommentProject) -> None:
    project.raw(
        "a.jsonl", lines(*({"text": text} for text in TEXTS[:11]), "{", *({"text": text} for text in TEXTS[12:14]))
    )
    run = project.open("comments=[{path: 'comments/*'}]")
    found = rows(run, run_infer(run, ByRule()))
    assert [row["id"] for row in found] == [f"a:{i}" for i in range(14) if i != 11]


def test_rows_are_counted_as_skipped_also_where_a_whole_shards_worth_is(project: CommentProject) -> None:
    given = [*TEXTS[:10], *["  "] * 9, "{", *["nan"] * 10, *TEXTS[10:12]]  # shards' worths: good, bad, bad, good
    project.raw("a.jsonl", lines(*(text if text == "{" else {"text": text} for text in given)))
    project.raw("b.jsonl", lines(*({"text": ""} for _ in range(3))))
    run = project.open("comments=[{path: 'comments/*'}]")
    for _ in range(2):  # a second time they are counted again, not added
        result = run_infer(run, ByRule())
        assert (result.rows, len(result.shards)) == (12, 2)
        assert result.skipped == {"empty text": 22, "broken row": 1}
        run.files.remove(result.shards[1])


def test_a_source_of_which_no_file_can_be_read_is_an_error(project: CommentProject) -> None:
    project.raw("a.csv", b"id,body\n1,a\n")
    project.raw("b.csv", b"id,body\n1,a\n")
    with pytest.raises(UserErrors, match="no column 'text'"):
        run_infer(project.open("comments=[{path: 'comments/*', id: id}]"), ByRule())


def test_a_full_disk_stops_cleanly_and_nothing_is_lost(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("a.parquet", TEXTS[:40])
    real, calls = pq.write_table, 0

    def full(table: object, where: Path, **more: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            Path(where).write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device", str(where))
        real(table, where, **more)

    run = project.open()
    monkeypatch.setattr("stages.infer.shard_schema.pq.write_table", full)
    with pytest.raises(UserError, match="no room for a shard of 10 comments"):
        run_infer(run, ByRule())
    monkeypatch.setattr("stages.infer.shard_schema.pq.write_table", real)
    assert len(run.files.names("shards")) == 2
    assert not list(run.scratch.glob("*"))
    again = ByRule()
    result = run_infer(run, again)
    assert [len(shard) for shard in again.read] == [10, 10]
    assert [row["id"] for row in rows(run, result)] == [f"c{i}" for i in range(40)]


@pytest.mark.slow
def test_several_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_comment_project(tmp_path, ("bert", "roberta"), monkeypatch)
    project.write("a.parquet", [*TEXTS[:38], *TEXTS[:6]])
    run = project.open()
    result = run_infer(run)
    assert result.engine == "torch"
    one = rows(run, result)
    for name in result.shards:
        run.files.remove(name)
    run = project.open("infer.processes=2")
    result = run_infer(run)
    assert result.unique == 38
    several = rows(run, result)
    assert [row["id"] for row in several] == [row["id"] for row in one]
    for label in LABELS:
        np.testing.assert_allclose(
            [row[f"p_{label}"] for row in several], [row[f"p_{label}"] for row in one], atol=1e-6
        )
