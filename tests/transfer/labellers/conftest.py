"""Tiny causal LMs, made once a session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.adapted_lms import MakeLm
from tests.helpers.tiny_lms import save_lm
from transfer.labellers.server import openai_client


@pytest.fixture(scope="session")
def lm(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a tiny model, made once; see save_lm."""
    made: dict[tuple[str, bool, bool], Path] = {}

    def folder(kind: str, *, chat: bool, joins: bool = False) -> Path:
        asked = (kind, chat, joins)
        if asked not in made:
            made[asked] = save_lm(tmp_path_factory.mktemp(kind), kind, chat=chat, joins=joins)
        return made[asked]

    return folder


@pytest.fixture(scope="session")
def tunable_lm(lm: Callable[..., Path]) -> MakeLm:
    """The folder of a tiny model of a kind, which an adapter is to be trained for."""
    return lambda kind: lm(kind, chat=kind == "gemma3")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(openai_client, "FIRST_WAIT", 0.01)
