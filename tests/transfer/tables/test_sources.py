"""Every format gives the same rows, and every unusable file one message that says what to do."""

import csv
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from transfer.errors import UserError, UserErrors
from transfer.tables.readers import read_batches
from transfer.tables.sources import CommentSource, GoldSource, LabelledSource, file_label, source_files
from transfer.tables.table_columns import as_text

ROWS = [
    ("좋아요, 정말", "joy", 3),
    ('그가 "아니"라고\n했다', "anger", 3),
    ("x" * 10_000, "joy", 4),
]
HEADER = ("텍스트", "label", "n")


def write_delimited(path: Path, encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([HEADER, *ROWS])


def write_json(path: Path) -> None:
    objects = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    path.write_text(json.dumps(objects, ensure_ascii=False, indent=1), encoding="utf-8")


def write_jsonl(path: Path) -> None:
    lines = [json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS]
    path.write_text("\n\n".join(lines), encoding="utf-8")


def write_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [HEADER, ROWS[0], (None, None, None), *ROWS[1:]]:
        sheet.append(row)
    other = book.create_sheet("other")
    other.append(["x"])
    book.save(path)


def write_parquet(path: Path) -> None:
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    pq.write_table(pa.table([columns[0], pa.array(columns[1]).dictionary_encode(), columns[2]], list(HEADER)), path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.csv": write_delimited,
    "a.tsv": write_delimited,
    "a.json": write_json,
    "lines.json": write_jsonl,
    "a.jsonl": write_jsonl,
    "a.xlsx": write_xlsx,
    "a.parquet": write_parquet,
}


def read(source: LabelledSource, base: Path, rows: int = 2, columns: tuple[str, ...] = HEADER) -> list[tuple[str, ...]]:
    batches = list(read_batches(source, columns, base, "original.train[0]", rows))
    assert all(0 < batch.num_rows <= rows for batch in batches)
    return [
        row
        for batch in batches
        for row in zip(*(as_text(column, "it").to_pylist() for column in batch.columns), strict=True)
    ]


def problem_of(source: LabelledSource, base: Path, columns: tuple[str, ...] = ("text",)) -> str:
    with pytest.raises(UserError) as caught:
        read(source, base, columns=columns)
    return str(caught.value)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    expected = [(text, label, str(n)) for text, label, n in ROWS]
    assert read(LabelledSource(path=name), tmp_path) == expected


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16"])
def test_an_encoding_that_the_plan_names_is_read(encoding: str, tmp_path: Path) -> None:
    write_delimited(tmp_path / "a.csv", encoding)
    assert read(LabelledSource(path="a.csv", encoding=encoding), tmp_path)[0][0] == "좋아요, 정말"


def test_a_byte_order_mark_needs_no_setting(tmp_path: Path) -> None:
    write_delimited(tmp_path / "a.csv", "utf-8-sig")
    assert read(LabelledSource(path="a.csv"), tmp_path)[0][0] == "좋아요, 정말"


def test_a_cp949_file_read_as_utf_8_says_which_encoding_to_set(tmp_path: Path) -> None:
    (tmp_path / "voice.csv").write_bytes("text,label\nok,joy\n좋아요,joy\n".encode("cp949"))
    assert problem_of(LabelledSource(path="voice.csv"), tmp_path) == (
        "original.train[0].encoding: voice.csv is not UTF-8: byte 0xc1 at offset 18 (line 3)\n"
        "  it reads as cp949 (Korean Windows): set `encoding: cp949` for this source\n"
        "  line 3 is then: 좋아요,joy"
    )


def test_the_misfit_is_found_far_into_a_file(tmp_path: Path) -> None:
    start = "text\n" + "가나다 좋아요\n" * 100_000
    (tmp_path / "a.csv").write_bytes(start.encode() + "나쁨\n".encode("cp949"))
    message = problem_of(LabelledSource(path="a.csv"), tmp_path)
    assert f"at offset {len(start.encode())} (line 100002)" in message
    assert "save it as UTF-8" in message  # it reads as nothing in whole


@pytest.mark.parametrize(
    ("written", "named", "advice"),
    [
        ("utf-16", None, "set `encoding: utf-16`"),
        ("utf-16-le", None, "set `encoding: utf-16`"),
        ("utf-8", "cp949", "leave `encoding` out"),
        ("utf-8", "utf-16", "leave `encoding` out"),
        ("cp1252", None, "set `encoding: cp1252`"),
    ],
)
def test_other_mistaken_encodings_are_recognised(written: str, named: str | None, advice: str, tmp_path: Path) -> None:
    text = "text,label\nMünchen är é bra,joy\n" if written == "cp1252" else "text,label\n좋아 한글이다!,joy\n"
    (tmp_path / "a.csv").write_bytes(text.encode(written))
    assert advice in problem_of(LabelledSource(path="a.csv", encoding=named), tmp_path)


def test_a_glob_reads_its_files_in_order_and_forgives_one_without_rows(tmp_path: Path) -> None:
    for name, text in (("b/1.csv", "text\ntwo\n"), ("a/9.csv", "text\none\n"), ("c/1.csv", "text\n")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a/~$9.csv").write_bytes(b"\0")  # what an open spreadsheet leaves
    source = LabelledSource(path="*/*.csv")
    assert read(source, tmp_path, columns=("text",)) == [("one",), ("two",)]
    assert [file_label(source, file, tmp_path) for file in source_files(source, tmp_path)] == ["a/9", "b/1", "c/1"]


def test_environment_variables_stand_for_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x[1].csv").write_text("text\nhi\n", encoding="utf-8")
    monkeypatch.setenv("DATA", str(tmp_path))
    monkeypatch.delenv("NOWHERE", raising=False)
    assert read(LabelledSource(path="$DATA/x[1].csv"), Path("/"), columns=("text",)) == [("hi",)]
    assert "$NOWHERE of '$NOWHERE/x.csv' is not set" in problem_of(LabelledSource(path="$NOWHERE/x.csv"), tmp_path)


def test_a_missing_column_is_named_with_its_key_and_a_near_miss(tmp_path: Path) -> None:
    write_delimited(tmp_path / "a.csv")
    with pytest.raises(UserErrors) as caught:
        read(LabelledSource(path="a.csv", text="texte", label="Label "), tmp_path, columns=("texte", "Label "))
    text, label = caught.value.problems
    assert text.startswith("original.train[0].text: no column 'texte' in a.csv\n  its columns: 텍스트, label, n")
    assert label.endswith("did you mean 'label'?")


def test_a_column_is_found_in_another_unicode_form_and_with_spaces(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(" \u1112\u1161\u11ab \nx\n", encoding="utf-8")
    assert read(LabelledSource(path="a.csv"), tmp_path, columns=("한",)) == [("x",)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty (0 bytes)"),
        ("a.csv", b"text,label\n", "no rows in a.csv"),
        ("a.json", b"[]", "no rows in a.json"),
        ("a.jsonl", b"\n\n", "no rows in a.jsonl"),
        ("a.csv", b"text,n\nok,1\nso, what,2\n", "a.csv, line 3: 3 values, but the header has 2"),
        ("a.csv", b'text,n\nok,1\n"so,2\n\nand,3\n', "a.csv, line 3: a double quote opens a value and is not closed"),
        ("a.csv", b"text;n\nok;1\n", "save it as .csv with commas"),
        ("a.csv", b"text,text\na,b\n", "a.csv has several columns 'text'"),
        ("a.jsonl", b'{"text": 1}\n{"text": \n', "a.jsonl, line 2: no JSON"),
        ("a.json", b'[{"text": "a"}, {"text": "b]', "a.json, object 2: no JSON"),
        ("a.json", b'[{"text": "a"}, 7]', "a.json, object 2: an object with the columns as keys is expected, got 7"),
        ("a.parquet", b"PAR1 not", "a.parquet is no whole parquet file"),
        ("a.xlsx", b"not a zip", "a.xlsx is no xlsx workbook"),
        ("a.xls", b"x", "save the sheet as .xlsx"),
    ],
)
def test_an_unusable_file_says_what_is_wrong(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in problem_of(LabelledSource(path=name), tmp_path)


def test_a_missing_file_or_sheet_names_those_that_are_there(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "dialogue.xlsx")
    assert "did you mean 'dialogue.xlsx'?" in problem_of(LabelledSource(path="dialog.xlsx"), tmp_path)
    assert "no file matches '*.csv'" in problem_of(LabelledSource(path="*.csv"), tmp_path)
    assert "is a folder" in problem_of(LabelledSource(path="."), tmp_path)
    assert "its sheets: Sheet, other" in problem_of(LabelledSource(path="dialogue.xlsx", sheet="othr"), tmp_path)
    assert read(LabelledSource(path="dialogue.xlsx", sheet="Sheet"), tmp_path)[0][1] == "joy"


def test_blank_lines_and_short_rows_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\r\ntext,label,x\r\n\r\na,joy\r\n   \r\nb,joy,1,,\r\n")
    assert read(LabelledSource(path="a.csv"), tmp_path, columns=("text", "x")) == [("a", ""), ("b", "1")]


def test_a_long_json_array_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.tables.json_reader.PIECE", 7)
    write_json(tmp_path / "a.json")
    assert [row[1] for row in read(LabelledSource(path="a.json"), tmp_path)] == ["joy", "anger", "joy"]


def test_mixed_values_and_halves_of_characters_become_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": 3.0}\n{"text": "3"}\n{"text": NaN}\n{}\n{"text": "\\ud83d!"}', encoding="utf-8"
    )
    assert read(LabelledSource(path="a.jsonl"), tmp_path, 9, ("text",)) == [("3",), ("3",), (None,), (None,), ("!",)]


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [["a", "b"]]}), tmp_path / "a.parquet")
    assert "holds list<" in problem_of(LabelledSource(path="a.parquet"), tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either `path`"),
        ({"path": "a.csv", "hub": "me/mood", "split": "train"}, "give either `path`"),
        ({"hub": "me/mood"}, "needs a `split`"),
        ({"hub": "https://x/y/z", "split": "train"}, "is no name of a hub data set"),
        ({"path": "a.csv", "split": "train"}, "`split` mean"),
        ({"path": "a.csv", "encoding": "cp994"}, "no encoding 'cp994'"),
        ({"path": "a.csv", "lable": "x"}, "lable"),
    ],
)
def test_a_source_that_means_nothing_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LabelledSource.model_validate(settings)


def test_numbers_in_a_map_are_read_as_text() -> None:
    source = GoldSource.model_validate({"path": "a.csv", "map": {0: "anger", 1.0: "joy", " 2 ": "joy"}})
    assert source.map == {"0": "anger", "1": "joy", "2": "joy"}
    assert CommentSource(path="a.csv").time is None


def test_the_plan_can_import_sources_without_anything_heavy() -> None:
    heavy = "{'pyarrow', 'numpy', 'pandas', 'datasets', 'openpyxl', 'torch'}"
    code = f"import sys, transfer.tables.sources; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "set()"


def test_memory_holds_a_batch_and_not_the_file(tmp_path: Path) -> None:
    dice = random.Random(13)
    texts = [dice.randbytes(100).hex() for _ in range(50_000)]  # one row group of 10 MB that does not compress
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", use_dictionary=False, compression=None)
    before, held = pa.total_allocated_bytes(), []
    for batch in read_batches(LabelledSource(path="a.parquet"), ("text",), tmp_path, "comments[0]", 1000):
        assert batch.num_rows == 1000
        held.append(pa.total_allocated_bytes() - before)
    assert len(held) == 50
    assert max(held) < 5_000_000
