"""One tiny Korean world for the session, made once; tests read it and leave it as it is."""

from pathlib import Path

import pytest

from stages.demo.corpus import Corpus, make_corpus
from stages.demo.demo_size import SMALL
from stages.demo.make_demo import make_world

SEED = 13


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return make_corpus("ko", SEED, SMALL)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "demo"
    make_world(folder, "ko", SEED, lambda line: None, size=SMALL)
    return folder
