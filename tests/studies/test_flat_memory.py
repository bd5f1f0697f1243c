"""A worker's memory after its hundredth trial is that after its tenth: store, kept models, pictures and all."""

from pathlib import Path

import optuna
import psutil
import pytest
from sqlalchemy import Engine

from storage.files.file_store import FileStore
from storage.process_identity import this_process
from studies.optuna_storage import open_optuna
from studies.top_k_models import TopKModels
from studies.trials.heartbeat import Heartbeat
from studies.trials.objective import run_trial
from studies.trials.trial_result import TrialEnd
from studies.trials.trial_resume import remove_ended
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import a_search
from tests.helpers.one_trial import RecordingWatcher, a_task, variant
from tests.helpers.tiny_encoders import WIDE_MB, save_wide_encoder
from transfer.device.memory_release import release_memory

TRIALS = 100
WARM = 10  # trials until libraries have all that they keep


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_workers_memory_stays_flat_over_a_hundred_trials(
    tmp_path: Path,
    url: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "transfer.device.device.SMALLEST_BF16_WIDTH", 1 << 20
    )  # float32, as in the test of fine-tunes alone
    monkeypatch.setattr("studies.trials.objective.EPOCH_SECONDS", 0.0)  # a checkpoint after each epoch
    monkeypatch.setattr("studies.workers.worker_loop.stop_if_all_collapse", lambda study: None)
    task = variant(a_task(save_wide_encoder(tmp_path / "wide")), {"epochs": 2, "learning_rate": 1e-4})
    search = a_search(trials=TRIALS, direction="minimize")
    study = open_study(open_optuna(url), search)
    kept_models = TopKModels(engine, FileStore(tmp_path / "files", tmp_path / "cache"), "small", study, keep=2)
    scratch, resident = tmp_path / "scratch", list[float]()

    def one(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        return run_trial(trial, task, kept_models, scratch, RecordingWatcher(), heartbeat)

    def after_trial() -> None:
        kept_models.tidy()
        remove_ended(study, scratch)
        release_memory()  # as the next trial does before it loads its model
        resident.append(psutil.Process().memory_info().rss / 2**20)

    work(study, search, TrialClaims(engine, search.name, this_process()), one, after_trial)
    assert len(resident) == TRIALS
    assert max(resident[WARM:]) - resident[WARM - 1] < WIDE_MB, resident
