"""Fixtures that several tests of this folder share."""

from pathlib import Path

import pytest

from tests.helpers.tiny_encoders import LABELS, Encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.engine_factory import Member


@pytest.fixture
def member(encoder: Encoder, tmp_path: Path) -> Member:
    source = encoder("bert")
    load_classifier(source, LABELS, seed=1).save_pretrained(tmp_path / "kept")
    load_tokenizer(str(source)).save_pretrained(tmp_path / "kept")
    return Member(tmp_path / "kept", 0, tmp_path / "made")
