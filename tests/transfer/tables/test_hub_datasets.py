"""Hub data sets come through the ordinary client, and what cannot come is said in one message."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.dataset_hub import COMMIT, dataset_hub

READ = """
import json, sys
from pathlib import Path
from transfer.errors import UserError
from transfer.tables.readers import read_batches
from transfer.tables.sources import LabelledSource
def outcome(settings):
    source = LabelledSource.model_validate({"split": "train"} | settings)
    try:
        batches = list(read_batches(source, [source.text, "label"], Path("."), "original.train[0]"))
        return [row for batch in batches for row in zip(*batch.to_pydict().values())]
    except UserError as problem:
        return str(problem)
print(json.dumps([outcome(settings) for settings in json.loads(sys.argv[1])]))
"""
MOOD = [["good", "joy"], ["bad", "anger"], ["hm", None]]


def outcomes(environment: dict[str, str], *settings: dict[str, str]) -> list[Any]:
    """Rows or message of each source, read in a process of its own: the client reads its environment once."""
    command = [sys.executable, "-c", READ, json.dumps(settings)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=True)
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with dataset_hub() as address:
        yield {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path_factory.mktemp("home")),
            "NO_PROXY": "127.0.0.1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }


def test_a_hub_data_set_is_read_and_what_cannot_be_is_explained(environment: dict[str, str], tmp_path: Path) -> None:
    mood, slice_, split, subset, column, gated, missing, revision, script = outcomes(
        environment,
        {"hub": "me/mood"},
        {"hub": "me/mood", "split": "train[:2]", "revision": "main"},
        {"hub": "me/mood", "split": "dev"},
        {"hub": "me/mood", "subset": "korean"},
        {"hub": "me/mood", "text": "comment"},
        {"hub": "me/gated"},
        {"hub": "me/none"},
        {"hub": "me/mood", "revision": "v9"},
        {"hub": "me/script"},
    )
    assert mood == MOOD  # class numbers by their names, -1 for none
    assert slice_ == MOOD[:2]
    assert split.startswith('original.train[0].hub: me/mood cannot be read\n  Unknown split "dev"')
    assert "'korean' not found. Available: ['default']" in subset
    assert column.startswith("original.train[0].text: no column 'comment' in me/mood\n  its columns: text, label")
    assert gated.startswith("original.train[0].hub: me/gated is gated")
    assert "HF_TOKEN" in gated
    assert missing.startswith("original.train[0].hub: no data set 'me/none' on the hub")
    assert "HF_TOKEN" in missing
    assert revision == "original.train[0].revision: me/mood has no revision 'v9'"
    assert "which is never run here\n" in script
    assert "refs/convert/parquet" in script

    # Without a network: what was read once is there, and no other version is taken for it.
    cached, commit, other, unread = outcomes(
        environment | {"HF_HUB_OFFLINE": "1"},
        {"hub": "me/mood"},
        {"hub": "me/mood", "revision": COMMIT},
        {"hub": "me/mood", "revision": "v9"},
        {"hub": "me/other"},
    )
    assert cached == MOOD
    assert commit == MOOD
    assert other.startswith("original.train[0].revision: me/mood is on this machine, but not its revision 'v9'")
    assert unread.startswith("original.train[0].hub: me/other is not on this machine and the hub cannot be reached")
