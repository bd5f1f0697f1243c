"""Commands as they are called: what is no usage, and what is not overwritten."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "plan.yaml", "--nonsense"),
        ("evaluate", "plan.yaml"),
        ("run", "plan.yaml", "--anew", "nothing"),
        ("worker", "plan.yaml", "--set"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, list(words)).exit_code == 2


def test_init_does_not_overwrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text("name: mine")
    done = CliRunner().invoke(app, ["init"])
    assert done.exit_code == 1
    assert "not overwritten" in done.stderr
    assert (tmp_path / "plan.yaml").read_text() == "name: mine"


def test_init_writes_the_plan_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["init", "emotion-six"]).exit_code == 0
    assert "name: emotion-six" in (tmp_path / "plan.yaml").read_text(encoding="utf-8")
