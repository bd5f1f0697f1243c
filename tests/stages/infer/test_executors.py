"""What classifies: this process, or one for each GPU, or as many as the plan says; models share tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.infer import executors
from stages.infer.engine_selection import member_of
from stages.infer.executors import ExecutorChoice, local_executor, open_in_process
from stages.runtime.predictor import model_record
from tests.helpers.classifying_project import make_comment_project
from tests.helpers.tiny_encoders import easy_texts
from transfer.encoders.tokenization import Tokens, encode
from transfer.engines.inference_engine import EngineVariant
from transfer.ensembling.combination import mixture_from


@pytest.mark.parametrize(
    ("gpus", "asked", "expected"),
    [
        ([], [], None),
        (["0"], [], None),
        (["0", "1", "3"], [], ["0", "1", "3"]),
        (["0", "1"], ["infer.processes=1"], None),
        (["0", "1"], ["infer.processes=3"], ["0", "1", "0"]),
        ([], ["infer.processes=2"], [None, None]),
    ],
)
def test_each_gpu_has_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: list[str], asked: list[str], expected: list[Any] | None
) -> None:
    used: list[Sequence[str | None]] = []
    monkeypatch.setattr(executors, "all_gpus", lambda: gpus)
    monkeypatch.setattr(executors, "WorkerProcesses", lambda choice, devices: used.append(devices))
    monkeypatch.setattr(executors, "open_in_process", lambda choice: None)
    local_executor(make_comment_project(tmp_path, ()).open(*asked), None)  # type: ignore[arg-type]
    assert used == ([] if expected is None else [expected])


def test_members_with_one_tokenizer_share_its_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, _ = easy_texts(20, 1)
    project = make_comment_project(tmp_path, ("bert", "bert", "roberta"))
    run = project.open()
    members = [member_of(run, model_record(run, name)) for name in project.members]
    executor = open_in_process(ExecutorChoice(members, [EngineVariant("torch", "float32")] * 3, mixture_from("mean")))
    encoded: list[int] = []

    def counted(texts: Sequence[str], *more: Any) -> Tokens:
        encoded.append(len(texts))
        return encode(texts, *more)

    monkeypatch.setattr("stages.infer.executors.encode", counted)
    mixed = executor.begin(texts)(lambda read: None)
    assert encoded == [20, 20]  # once for both of BERT's kind, once for RoBERTa's
    alone = [engine.probabilities(texts) for engine in executor.engines]  # type: ignore[attr-defined]
    np.testing.assert_allclose(mixed, np.mean(alone, axis=0), atol=1e-6)
