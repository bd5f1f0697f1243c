"""Days and values of a csv file, by the numbers of their lines."""

from datetime import date
from pathlib import Path

import pytest

from stages.monitor.analysis.dated_csv import dated_rows
from transfer.errors import UserError


def read(path: Path) -> list[tuple[int, date, str]]:
    return list(dated_rows(path, "date", "value", "index.series[0]"))


def test_days_times_and_months_are_read_and_rows_without_a_value_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,value\n2024-03-02, 2 \n2024-03-20T10:00:00,b\n,\nnever,\n2024-04,4\n", encoding="utf-8-sig")
    assert read(path) == [(2, date(2024, 3, 2), "2"), (3, date(2024, 3, 20), "b"), (6, date(2024, 4, 1), "4")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"day,value\n", "index.series[0]: no column 'date' in "),
        (b"date,value\n2024-13-01,2\n", "line 2: '2024-13-01' is no time\n  write 2024-03-01 or 2024-03"),
        (b"", "it is empty"),
        ("date,value\n2024-03-01,기쁨\n".encode("cp949"), "is not UTF-8\n  save it as UTF-8"),
        (b'date,value\n2024-03-01,"' + b"x" * 200_000, "is no csv file"),
        (None, "index.series[0].path: cannot read "),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_place(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(path)
    assert words in str(caught.value)
