"""Text files are read in the encoding of the plan; a wrong one is a message that names the right one."""

from pathlib import Path

import pytest

from tests.helpers.table_files import problem_of, read, write_delimited
from transfer.tables.sources import LabelledSource


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
