"""A trial that has ended, and what its study keeps attached to it."""

import struct
from pathlib import Path

import numpy as np
import optuna
from optuna.artifacts import get_all_artifact_meta

from storage.files.file_store import FileStore
from studies.dashboard.study_updates import show_trial
from studies.trials.learning_curve import Epoch
from studies.trials.trial_result import TrialResult
from transfer.metrics.scores import Scores, score

KOREAN = ["분노", "슬픔", "$기쁨$ with a name that is long"]


CURVE = [Epoch(0, 1, 1.0, 0.4, 3e-5, 1.0), Epoch(0, 2, 0.5, 0.6, 1e-5, 1.0)]


def some_scores() -> Scores:
    truth = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 1, 1, 2, 0]] * 0.8 + 0.2 / 3
    return score(probabilities, truth, KOREAN)


def a_result(best_epoch: int = 2) -> TrialResult:
    return TrialResult(
        value=0.5,
        spread=None,
        is_pruned=False,
        reason=None,
        collapsed=None,
        curve=tuple(CURVE[:best_epoch]),
        kept=CURVE[best_epoch - 1],
        scores=some_scores(),
        folder=Path("unused"),
        seeds=(1,),
        settings={},
        token_budget=1,
        recomputes=False,
        was_short=False,
        precision="float32",
    )


def a_trial(study: optuna.Study, files: FileStore) -> optuna.Trial:
    trial = study.ask({"learning_rate": optuna.distributions.FloatDistribution(0, 1)})
    trial.report(0.4, 1)
    trial.report(0.5, 2)
    show_trial(trial, files, a_result())
    return trial


def attached(study: optuna.Study, number: int = 0) -> dict[str, str]:
    """Id by file name, as Optuna's own function finds them; fails where one is there twice."""
    found = get_all_artifact_meta(study.trials[number], storage=study._storage)
    assert len({meta.filename for meta in found}) == len(found)
    return {meta.filename: meta.artifact_id for meta in found}


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])
