"""Fetching models in a process of its own."""

import json
import os
import subprocess
import sys

# In a process of its own: the client reads its environment once. Torch is loaded only where a file is converted.
FETCH = """
import json, sys
from transfer.encoders.hub import fetch_config, fetch_model
from transfer.errors import UserError
def outcome(what, name, revision=None):
    try:
        return str({"config": fetch_config, "model": fetch_model}[what](name, revision))
    except UserError as problem:
        return f"UserError: {problem}"
print(json.dumps([outcome(*arguments) for arguments in json.loads(sys.argv[1])]))
"""


def outcomes(environment: dict[str, str], *asked: tuple[str, ...]) -> list[str]:
    """The folder, or the problem, for each (config or model, name, revision)."""
    command = [sys.executable, "-c", FETCH, json.dumps(asked)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))
