"""A store's URL, shown without its password."""

import pytest

from storage.database.url import masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://anna:se@c:r/et@db:5432/x", "postgresql+psycopg://anna:***@db:5432/x"),
        ("postgresql://db/x?user=anna&password=secret&port=1", "postgresql://db/x?user=anna&password=***&port=1"),
        ("postgresql://anna@db:5432/x", "postgresql://anna@db:5432/x"),
        ("http://[::1]:5432/x", "http://[::1]:5432/x"),
        ("postgresql://db:5432/x", "postgresql://db:5432/x"),
        ("s3://KEY:secret@bucket/files", "s3://KEY:***@bucket/files"),
        ("sqlite:////tmp/a:b@c/moodline.db", "sqlite:////tmp/a:b@c/moodline.db"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
