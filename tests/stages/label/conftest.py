"""The tests' server is reached without a proxy, and is asked again without a wait."""

import pytest

from transfer.labellers.server import openai_client


@pytest.fixture(autouse=True)
def _loopback_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(openai_client, "FIRST_WAIT", 0.01)
