"""Every comment is classified once, in its order, whatever happens meanwhile; what cannot be read is listed."""

import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from stages.infer.engine_selection import choose_team
from stages.infer.run_infer import run_infer
from tests.helpers.classifying_project import ByRule, Heap, lines, make_heap, rows, rule
from tests.helpers.tiny_encoders import LABELS, easy_texts
from transfer.errors import UserError, UserErrors

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(60, 1)[0])]


@pytest.fixture
def heap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heap:
    return make_heap(tmp_path, monkeypatch=monkeypatch)


def test_shards_hold_label_probabilities_entropy_and_model_in_the_order_of_the_input(heap: Heap) -> None:
    heap.write("a.parquet", TEXTS[:25])
    run = heap.open()
    told = run_infer(run, ByRule())
    assert (told["rows"], told["unique"], len(told["shards"])) == (25, 25, 3)
    found = rows(run, told)
    assert [row["id"] for row in found] == [f"c{i}" for i in range(25)]
    expected = rule(TEXTS[:25])
    for row, p in zip(found, expected, strict=True):
        assert [row[f"p_{label}"] for label in LABELS] == pytest.approx(p, abs=1e-7)
        assert row["label"] == LABELS[int(p.argmax())]
        assert row["entropy"] == pytest.approx(-(p * np.log(p)).sum(), abs=1e-6)
        assert row["model"] == told["model"]


def test_the_same_text_is_classified_once_across_shards_and_files(heap: Heap) -> None:
    heap.write("a.parquet", [*TEXTS[:20], *TEXTS[5:15]])
    heap.write("b.parquet", [TEXTS[3].upper(), *TEXTS[20:29]], first=30)
    run, classifier = heap.open(), ByRule()
    told = run_infer(run, classifier)
    assert told["rows"] == 40
    assert told["unique"] == 29
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[:29])
    found = {row["id"]: row for row in rows(run, told)}
    for copy, original in [*((f"c{20 + i}", f"c{5 + i}") for i in range(10)), ("c30", "c3")]:
        assert [found[copy][f"p_{label}"] for label in LABELS] == [found[original][f"p_{label}"] for label in LABELS]


@pytest.mark.parametrize("shard", range(4))
def test_an_interrupted_inference_goes_on_where_it_was_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    outcomes = []
    for place in ("whole", "broken"):
        heap = make_heap(tmp_path / place, monkeypatch=monkeypatch)
        heap.write("a.parquet", [*TEXTS[:20], *TEXTS[5:12], *TEXTS[20:23], *TEXTS[:8], *TEXTS[23:25]])
        if place == "broken":
            with pytest.raises(KeyboardInterrupt):
                run_infer(heap.open(), ByRule(breaks_at=shard))
        run, again = heap.open(), ByRule()
        told = run_infer(run, again)
        outcomes.append((rows(run, told), told["rows"], told["unique"], told["skipped"]))
        if place == "broken":
            assert len(again.read) == 4 - shard  # shards that were written are not done again
    assert outcomes[0] == outcomes[1]


def test_comments_added_later_are_classified_alone_even_in_a_file_that_grew(heap: Heap) -> None:
    heap.raw("a.jsonl", lines(*({"id": i, "text": text, "time": "2024-03-01"} for i, text in enumerate(TEXTS[:15]))))
    heap.write("b.parquet", TEXTS[30:40], first=30)
    run_infer(heap.open("comments=[{path: 'comments/*', id: id}]"), ByRule())
    heap.raw("a.jsonl", lines(*({"id": i, "text": text, "time": "2024-03-01"} for i, text in enumerate(TEXTS[:22]))))
    heap.write("c.parquet", TEXTS[40:50], first=40)
    run, classifier = heap.open("comments=[{path: 'comments/*', id: id}]"), ByRule()
    told = run_infer(run, classifier)
    assert told["rows"] == 42
    assert [text for shard in classifier.read for text in shard if shard] != []
    assert sorted(text for shard in classifier.read for text in shard) == sorted([*TEXTS[15:22], *TEXTS[40:50]])


def test_a_file_that_comes_while_others_are_classified_is_left_for_the_next_time(
    heap: Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap.write("b.parquet", TEXTS[:15])

    def meanwhile(*given: Any) -> Any:
        heap.write("a.parquet", TEXTS[20:35], first=20)  # before the other in the order of names
        return choose_team(*given)

    with monkeypatch.context() as patch:
        patch.setattr("stages.infer.run_infer.choose_team", meanwhile)
        run = heap.open()
        assert [row["id"] for row in rows(run, run_infer(run, ByRule()))] == [f"c{i}" for i in range(15)]
    run, classifier = heap.open(), ByRule()
    assert [row["id"] for row in rows(run, run_infer(run, classifier))] == [
        f"c{i}" for i in [*range(20, 35), *range(15)]
    ]
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[20:35])


def test_broken_rows_files_and_encodings_are_counted_listed_and_skipped(heap: Heap) -> None:
    good = [{"id": f"j{i}", "text": TEXTS[i], "time": "2024-03-01", "video": "v"} for i in range(12)]
    heap.raw("a.jsonl", lines(*good[:5], '{"id": "x", "text": "half', *good[5:9], "[1, 2]", *good[9:]))
    csv = ["id,text,time,video", *(f"k{i},{TEXTS[20 + i]},2024-03-01,v" for i in range(6))]
    csv.insert(3, "kx,one,2024-03-01,v,too many")
    body = "\n".join(csv).encode() + b"\nky,\xb3\xaa\xbb\xdb,2024-03-01,v\nkz,,2024-03-01,v\n"
    heap.raw("b.csv", body)
    heap.raw("c.csv", "\n".join(["id,text,time,video", *["l,정말 좋았어요,2024-03-01,v"] * 9]).encode("cp949"))
    heap.write("d.parquet", TEXTS[40:45], first=40)
    heap.raw("e.parquet", b"PAR1 and no more")
    run = heap.open()
    told = run_infer(run, ByRule())
    assert [row["id"] for row in rows(run, told)] == [
        *(f"j{i}" for i in range(12)),
        *(f"k{i}" for i in range(6)),
        *(f"c{i}" for i in range(40, 45)),
    ]
    assert told["skipped"] == {"broken row": 4, "empty text": 1, "broken file": 2}
    listed = [json.loads(line) for line in (run.results / "skipped.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(fault["file"], fault["line"]) for fault in listed if fault["line"]} == {
        ("comments/a.jsonl", 6),
        ("comments/a.jsonl", 11),
        ("comments/b.csv", 4),
        ("comments/b.csv", 9),
    }
    assert {fault["file"] for fault in listed if fault["line"] is None} == {"c", "e"}
    assert "half" not in json.dumps(listed)
    assert told["faults"] == listed


def test_rows_after_a_broken_one_keep_their_numbers(heap: Heap) -> None:
    heap.raw(
        "a.jsonl", lines(*({"text": text} for text in TEXTS[:11]), "{", *({"text": text} for text in TEXTS[12:14]))
    )
    run = heap.open("comments=[{path: 'comments/*'}]")
    found = rows(run, run_infer(run, ByRule()))
    assert [row["id"] for row in found] == [f"a:{i}" for i in range(14) if i != 11]


def test_rows_are_counted_as_skipped_also_where_a_whole_shards_worth_is(heap: Heap) -> None:
    given = [*TEXTS[:10], *["  "] * 9, "{", *["nan"] * 10, *TEXTS[10:12]]  # shards' worths: good, bad, bad, good
    heap.raw("a.jsonl", lines(*(text if text == "{" else {"text": text} for text in given)))
    heap.raw("b.jsonl", lines(*({"text": ""} for _ in range(3))))
    run = heap.open("comments=[{path: 'comments/*'}]")
    for _ in range(2):  # a second time they are counted again, not added
        told = run_infer(run, ByRule())
        assert (told["rows"], len(told["shards"])) == (12, 2)
        assert told["skipped"] == {"empty text": 22, "broken row": 1}
        run.files.remove(told["shards"][1])


def test_a_source_of_which_no_file_can_be_read_is_an_error(heap: Heap) -> None:
    heap.raw("a.csv", b"id,body\n1,a\n")
    heap.raw("b.csv", b"id,body\n1,a\n")
    with pytest.raises(UserErrors, match="no column 'text'"):
        run_infer(heap.open("comments=[{path: 'comments/*', id: id}]"), ByRule())


def test_a_full_disk_stops_cleanly_and_nothing_is_lost(heap: Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    heap.write("a.parquet", TEXTS[:40])
    real, calls = pq.write_table, 0

    def full(table: object, where: Path, **more: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            Path(where).write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device", str(where))
        real(table, where, **more)

    run = heap.open()
    monkeypatch.setattr("stages.infer.shard_schema.pq.write_table", full)
    with pytest.raises(UserError, match="no room for a shard of 10 comments"):
        run_infer(run, ByRule())
    monkeypatch.setattr("stages.infer.shard_schema.pq.write_table", real)
    assert len(run.files.names("shards")) == 2
    assert not list(run.scratch.glob("*"))
    again = ByRule()
    told = run_infer(run, again)
    assert [len(shard) for shard in again.read] == [10, 10]
    assert [row["id"] for row in rows(run, told)] == [f"c{i}" for i in range(40)]


def test_members_with_one_tokenizer_share_its_tokens(heap: Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.infer.engine_selection import member_of
    from stages.infer.executors import ExecutorChoice, opened
    from stages.runtime.predictor import model_record
    from transfer.encoders.tokenization import Tokens, encode
    from transfer.engines.inference_engine import EngineVariant
    from transfer.ensembling.combination import mixture_from

    make_heap(heap.folder / "more", ("bert", "bert", "roberta"))
    more = Heap(heap.folder / "more", ("bert 0", "bert 1", "roberta 2"))
    run = more.open()
    members = [member_of(run, model_record(run, name)) for name in more.members]
    here = opened(ExecutorChoice(members, [EngineVariant("torch", "float32")] * 3, mixture_from("mean")))
    encoded: list[int] = []

    def counted(texts: Sequence[str], *more: Any) -> Tokens:
        encoded.append(len(texts))
        return encode(texts, *more)

    monkeypatch.setattr("stages.infer.executors.encode", counted)
    mixed = here.begin(TEXTS[:20])(lambda read: None)
    assert encoded == [20, 20]  # once for both of BERT's kind, once for RoBERTa's
    alone = [engine.probabilities(TEXTS[:20]) for engine in here.engines]  # type: ignore[attr-defined]
    np.testing.assert_allclose(mixed, np.mean(alone, axis=0), atol=1e-6)


@pytest.mark.slow
def test_several_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heap = make_heap(tmp_path, ("bert", "roberta"), monkeypatch)
    heap.write("a.parquet", [*TEXTS[:38], *TEXTS[:6]])
    run = heap.open()
    told = run_infer(run)
    assert told["engine"] == "torch"
    one = rows(run, told)
    for name in told["shards"]:
        run.files.remove(name)
    run = heap.open("infer.processes=2")
    told = run_infer(run)
    assert told["unique"] == 38
    several = rows(run, told)
    assert [row["id"] for row in several] == [row["id"] for row in one]
    for label in LABELS:
        np.testing.assert_allclose(
            [row[f"p_{label}"] for row in several], [row[f"p_{label}"] for row in one], atol=1e-6
        )
