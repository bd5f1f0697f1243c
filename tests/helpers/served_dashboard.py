"""The dashboard, served by a process of its own."""

import json
import subprocess
from typing import Any

import pytest

from tests.helpers.small_project import Project


def served(project: Project, *more: str) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
    """The process and what it printed: its URL and whether it is read-only."""
    pytest.importorskip("optuna_dashboard", reason="the dashboard extra is not installed")
    process = project.start("dashboard", "plan.yaml", "--port", "0", "--json", *more)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())
