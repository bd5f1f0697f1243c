"""Tiny encoders, made once a session and copied for each test that wants one; torch on one thread."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers.utils import logging

from tests.helpers.tiny_encoders import Encoder, save_encoder


@pytest.fixture(scope="session", autouse=True)
def _quiet_on_one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def _zoo(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A folder of each kind, made when it is first asked for."""
    root = tmp_path_factory.mktemp("zoo")

    def folder(kind: str) -> Path:
        path = root / kind
        # BERT's tensors without their prefix, as sentence-transformers saves them; the others' with it.
        return path if path.is_dir() else save_encoder(kind, path, with_lm_head=kind != "bert")

    return folder


@pytest.fixture
def encoder(_zoo: Encoder, tmp_path: Path) -> Encoder:
    """A copy of the test's own of a tiny encoder, by its kind, new at every call: encoder("bert")."""

    def copy(kind: str) -> Path:
        return Path(shutil.copytree(_zoo(kind), tmp_path / "encoders" / kind, dirs_exist_ok=True))

    return copy
