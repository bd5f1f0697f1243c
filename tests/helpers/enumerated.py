"""Studies whose trials are listed."""

from typing import Any

from studies.sampling.enumerated_trials import EnumeratedTrial
from studies.study_config import StudyConfig
from tests.helpers.formula_search import a_search


def an_entry(i: int, **notes: Any) -> EnumeratedTrial:
    params = {"learning_rate": 10 ** -(2 + i / 10), "epochs": 1 + i % 5, "class_weighting": "none"}
    return EnumeratedTrial(f"trial {i}", params, notes)


def listed(n: int, name: str = "study", begin: int = 0) -> StudyConfig:
    queue = [an_entry(i) for i in range(begin, begin + n)]
    return a_search(name=name, trials=n, queue=queue, pruner="none", keep=0)
