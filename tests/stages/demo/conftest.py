"""One small Korean demo for the session, made once; tests read it and leave it as it is."""

from pathlib import Path

import pytest

from stages.demo.corpus import SMALL, Corpus, make_corpus
from stages.demo.make_demo import make_demo

SEED = 13


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return make_corpus("ko", SEED, SMALL)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "demo"
    make_demo(folder, "ko", SEED, lambda line: None, size=SMALL)
    return folder
