"""The command `moodline dashboard` in a process of its own."""

import json
import subprocess
from typing import Any

import pytest

from tests.helpers.small_project import Project


def served(project: Project, *more: str) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
    pytest.importorskip("optuna_dashboard", reason="the dashboard extra is not installed")
    process = project.start("dashboard", "plan.yaml", "--port", "0", "--json", *more)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())
