"""Objects of json files."""

from pathlib import Path

import pytest

from tests.helpers.table_files import read, write_json
from transfer.tables.sources import LabelledSource


def test_a_long_json_array_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.tables.json_reader.PIECE", 7)
    write_json(tmp_path / "a.json")
    assert [row[1] for row in read(LabelledSource(path="a.json"), tmp_path)] == ["joy", "anger", "joy"]
