"""Small files of comments, and reading them."""

import datetime as dt
from pathlib import Path

NINE = dt.datetime(2024, 3, 1, 0, 0, tzinfo=dt.UTC)  # nine in the morning in Seoul


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
