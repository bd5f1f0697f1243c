"""On a real GPU: MOODLINE_TEST_GPU=1 pytest tests/integration/test_gpu.py. Elsewhere nothing of CUDA's is computed."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.plan.schema import read_plan
from stages.runtime.run_context import open_run
from storage.records import model_registry
from tests.helpers.small_project import Project
from tests.helpers.tiny_encoders import LABELS, easy_examples, save_encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.training.checkpoint import restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.oom_recovery import OomRecovery
from transfer.training.recipe import Recipe

pytestmark = pytest.mark.skipif(
    "MOODLINE_TEST_GPU" not in os.environ or not torch.cuda.is_available(),
    reason="needs a GPU of CUDA's, and MOODLINE_TEST_GPU=1",
)
RECIPE = Recipe(learning_rate=3e-3, batch_size=16, epochs=4, dropout=0.2, max_length=32)


class StoppedError(Exception):
    """After a step."""


def begin(folder: Path, recipe: Recipe = RECIPE, n: int = 480, memory: OomRecovery | None = None) -> FineTuning:
    model = load_classifier(folder, LABELS, seed=1, dropout=recipe.dropout)
    return FineTuning(model, easy_examples(load_tokenizer(str(folder)), n), recipe, 1, memory)


def finish(tuning: FineTuning) -> None:
    while not tuning.is_done:
        tuning.run_epoch()


@pytest.fixture(params=["bert", "roberta", "electra"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return save_encoder(request.param, tmp_path / "encoder")


def test_what_is_learnt_on_a_gpu_is_read_the_same_on_a_processor(folder: Path, tmp_path: Path) -> None:
    tuning = begin(folder)
    finish(tuning)
    assert tuning.model.device.type == "cuda"
    found = probabilities_of(tuning.model, tuning.examples.tokens)
    assert (found.argmax(1) == tuning.examples.targets.argmax(1)).mean() > 0.6  # three labels
    tuning.model.save_pretrained(tmp_path / "kept")
    load_tokenizer(str(folder)).save_pretrained(tmp_path / "kept")
    engine = TorchEngine(tmp_path / "kept")
    assert engine.model.device.type == "cuda"
    np.testing.assert_allclose(engine.classify(tuning.examples.tokens), found, atol=1e-4)
    engine.model.cpu()
    np.testing.assert_allclose(engine.classify(tuning.examples.tokens), found, atol=1e-3)


def test_a_restored_fine_tune_draws_the_random_numbers_that_it_would_have_drawn(folder: Path, tmp_path: Path) -> None:
    tuning = begin(folder)
    for _ in range(7):  # in the midst of an epoch
        next_loss(tuning)
    save_checkpoint(tmp_path / "checkpoint", tuning, {})
    expected = next_loss(tuning)

    def again() -> FineTuning:
        torch.manual_seed(99)
        restored = begin(folder)
        restore_checkpoint(tmp_path / "checkpoint", restored)
        assert restored.step == 7
        return restored

    assert next_loss(again()) == pytest.approx(expected, rel=1e-4)  # sums are made in no fixed order there
    other = again()
    torch.manual_seed(99)
    assert next_loss(other) != pytest.approx(expected, rel=1e-4)


def next_loss(tuning: FineTuning) -> float:
    """The loss of one step more."""

    def stop(examples: int) -> None:
        raise StoppedError

    before = tuning.loss
    with pytest.raises(StoppedError):
        tuning.run_epoch(stop)
    return tuning.loss - before


def test_a_gpu_that_is_full_is_given_less_at_a_time(folder: Path) -> None:
    recipe = replace(RECIPE, batch_size=8192, epochs=1, dropout=0.0)
    said: list[str] = []

    def begun() -> FineTuning:
        return begin(folder, recipe, 8192, OomRecovery(2**18, on_message=said.append))

    ample = begun()
    finish(ample)
    assert not said
    expected = probabilities_of(ample.model, ample.examples.tokens)
    del ample
    tuning = begun()
    torch.cuda.empty_cache()
    room = torch.cuda.memory_reserved() + 96 * 2**20
    torch.cuda.set_per_process_memory_fraction(room / torch.cuda.get_device_properties().total_memory)
    try:
        finish(tuning)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory: now 131072 tokens at a time" in said[0]
    np.testing.assert_allclose(probabilities_of(tuning.model, tuning.examples.tokens), expected, atol=1e-2)


def test_workers_share_a_gpu_and_the_whole_run_ends_well(project: Project) -> None:
    done = project.run("run", "plan.yaml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert {stage["state"] for stage in project.json("status", "plan.yaml")["stages"]} == {"done"}
    run = open_run(read_plan(project.plan))
    assert {model.lineage["device"] for model in model_registry.models(run.engine, run.plan.name)} == {"cuda"}


def test_a_killed_search_goes_on(project: Project) -> None:
    running = project.start("search", "plan.yaml")
    assert running.stderr is not None
    line = ""
    while "trial 1" not in line:
        line = running.stderr.readline()
        assert line, "it ended before its second trial"
    running.kill()
    running.communicate()
    told = project.json("search", "plan.yaml")
    assert [study["complete"] + study["pruned"] for study in told["studies"]] == [3, 3]
