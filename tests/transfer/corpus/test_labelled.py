"""The fingerprint of labelled texts."""

from pathlib import Path

from tests.helpers.labelled_files import read
from transfer.corpus.labelled import without


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    first = read(tmp_path, "a,joy", "b,anger")
    assert first.fingerprint == read(tmp_path, "a ,joy", "b,anger", ",joy").fingerprint
    assert first.fingerprint != read(tmp_path, "a,joy", "b,joy").fingerprint
    assert first.fingerprint != read(tmp_path, "a,joy", "bb,anger").fingerprint
    assert first.fingerprint != without(first, {first.keys[0]}).fingerprint
