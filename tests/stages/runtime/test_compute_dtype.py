"""A number format chosen by measuring stays: a search that is gone on with has the digits that it began with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run, store_url
from stages.search.run_search import run_search
from storage.records.measured_choices import choice
from tests.helpers.small_project import write_csv
from tests.helpers.tiny_encoders import LABELS, easy_texts, save_encoder
from transfer.device import device

PLAN = """
name: tiny
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}], validation: 0.3, test: null}
candidates: [bert]
pseudo_label: null
search:
  trials: 2
  metric: log_loss
  keep: 1
  recheck: none
  space: {learning_rate: {low: 4e-3, high: 1e-2, log: true}, epochs: 1, batch_size: 16, max_length: 16, dropout: 0}
"""
Measured = Callable[[bool], None]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """A processor with bfloat16, of which the next measurement says whether it is faster; no encoder is too narrow."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    monkeypatch.setattr(device, "_processor", lambda: "Xeon")
    monkeypatch.setattr(device, "SMALLEST_BF16_WIDTH", 1)

    def says(is_faster: bool) -> None:
        seconds = {torch.bfloat16: 1.0 if is_faster else 3.0, torch.float32: 2.0}
        monkeypatch.setattr(device, "_seconds", lambda x, weights: seconds[x.dtype])

    return says


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precision")
    texts, labels = easy_texts(60, seed=1)
    write_csv(folder / "original.csv", ["text", "label"], zip(texts, [LABELS[i] for i in labels], strict=True))
    save_encoder("bert", folder / "bert", with_lm_head=True)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder


def searched(data: Path, work: Path, *overrides: str) -> list[tuple[Any, ...]]:
    """Number, value and precision of each trial, searched as a new process does it."""
    run = open_run(read_plan(data / "plan.yaml", [f"workspace={work}", *overrides]))
    run_search(run)
    [name] = optuna.get_all_study_names(store_url(run.plan))
    trials = optuna.load_study(study_name=name, storage=store_url(run.plan)).trials
    return [(trial.number, trial.value, trial.user_attrs["precision"]) for trial in trials]


@pytest.mark.usefixtures("one_thread")
def test_a_search_gone_on_with_keeps_the_precision_that_it_began_with(
    data: Path, tmp_path: Path, measured: Measured
) -> None:
    measured(True)
    through = searched(data, tmp_path / "through")
    assert [precision for _, _, precision in through] == ["bfloat16", "bfloat16"]
    searched(data, tmp_path / "stopped", "search.trials=1")
    measured(False)  # on a busy machine, say
    assert searched(data, tmp_path / "stopped") == through
    others = searched(data, tmp_path / "fresh", "search.trials=1")
    assert [precision for _, _, precision in others] == ["float32"]
    assert others[0][1] != through[0][1]


def test_a_machine_with_another_processor_measures_for_itself(
    a_run: Callable[..., Run], measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(True)
    run = a_run()
    assert device.has_bf16("cpu")
    measured(False)
    monkeypatch.setattr(device, "_processor", lambda: "EPYC")
    assert not device.has_bf16("cpu")
    monkeypatch.setattr(device, "_processor", lambda: "Xeon")
    assert device.has_bf16("cpu")
    recorded = {name: choice(run.engine, "small", f"bfloat16 on {name} with amx_bf16") for name in ("Xeon", "EPYC")}
    assert {name: found and found["bfloat16"] for name, found in recorded.items()} == {"Xeon": True, "EPYC": False}
    assert recorded["Xeon"] is not None
    assert recorded["Xeon"]["seconds"] == {"float32": 2.0, "bfloat16": 1.0}
