"""A place for files: a folder, and URLs of fsspec."""

from pathlib import Path
from uuid import uuid4

import pytest

from storage.files.file_store import FileStore


@pytest.fixture(params=["path", "file://", "local://", "memory://"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where files go: by path, and by URLs of fsspec (local:// is a disk that goes the way of all URLs)."""
    if request.param == "path":
        return str(tmp_path / "files")
    if request.param == "memory://":
        return f"memory://bucket-{uuid4().hex}/files"
    return f"{request.param}{tmp_path / 'files'}"


@pytest.fixture
def files(address: str, tmp_path: Path) -> FileStore:
    return FileStore(address, tmp_path / "cache")
