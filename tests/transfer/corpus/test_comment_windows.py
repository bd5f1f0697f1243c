"""Comments in windows of rows."""

from pathlib import Path

from tests.helpers.comment_files import write
from transfer.corpus.comment_windows import read_windows
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource


def test_windows_are_cut_at_rows_of_the_file_and_those_not_wanted_cost_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", *(f"text {i}" for i in range(7)), '""', "text 8")
    write(tmp_path, "b.csv", "text", "text 0")
    sources = [CommentSource(path="*.csv")]
    asked: list[tuple[int, int]] = []

    def wanted(file: int, first: int) -> bool:
        asked.append((file, first))
        return first != 3

    windows = list(read_windows(sources, tmp_path, "UTC", "s", 3, wanted, BadRows()))
    assert asked == [(0, 0), (0, 3), (0, 6), (1, 0)]
    assert [(window.file, window.first) for window in windows] == asked
    rows = [None if window.rows is None else window.rows.column("row").to_pylist() for window in windows]
    assert rows == [[0, 1, 2], None, [6, 8], [0]]
    assert windows[2].dropped == {"empty text": 1}
