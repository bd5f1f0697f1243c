"""The engine is measured once, recorded and kept; one that the plan wants but that does not agree is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.infer import engine_selection
from stages.infer.engine_selection import choose_engines
from stages.runtime.predictor import model_record
from stages.runtime.reset import reset_stage
from stages.runtime.run_context import Run
from storage.records.measured_choices import choice
from tests.helpers.classifying_project import CommentProject, make_comment_project
from transfer.encoders.tokenization import Tokens
from transfer.engines.convert import is_installed
from transfer.engines.engine_benchmark import Measurement
from transfer.engines.inference_engine import EngineVariant
from transfer.ensembling.combination import mixture_from
from transfer.errors import UserError

TEXTS = [f"so happy today {i}" for i in range(200)]
FLOAT, BF16, OPENVINO = (
    EngineVariant("torch", "float32"),
    EngineVariant("torch", "bfloat16"),
    EngineVariant("openvino", "bfloat16"),
)


@pytest.fixture
def project(tmp_path: Path) -> CommentProject:
    return make_comment_project(tmp_path)


def predictor(run: Run, project: CommentProject) -> Any:
    records = [model_record(run, name) for name in project.members]
    return SimpleNamespace(records=records, how=mixture_from("mean"), members=project.members)


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[EngineVariant]]]:
    """Lets the last of some ways be the fastest; returns what was measured each time."""

    def put(*here: EngineVariant) -> list[list[EngineVariant]]:
        asked: list[list[EngineVariant]] = []

        def fastest(ways: Sequence[EngineVariant], *_: object) -> tuple[EngineVariant, list[Measurement]]:
            asked.append(list(ways))
            return ways[-1], [Measurement(way, 100.0, 1.0, 0.0) for way in ways]

        monkeypatch.setattr(engine_selection, "available_variants", lambda: list(here))
        monkeypatch.setattr(engine_selection, "fastest", fastest)
        monkeypatch.setattr(engine_selection, "MEASURED_FROM", 100)
        return asked

    return put


def test_a_choice_is_measured_once_and_kept_to(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]]
) -> None:
    asked = measures(FLOAT, BF16, OPENVINO)
    auto = ("infer.engine=auto", "infer.precision=auto")
    run = project.open(*auto)
    assert choose_engines(run, predictor(run, project), TEXTS).ways == [OPENVINO]
    measures(FLOAT, OPENVINO, BF16)  # another would be the fastest now
    run = project.open(*auto)
    assert choose_engines(run, predictor(run, project), TEXTS[:3]).ways == [OPENVINO]
    assert asked == [[FLOAT, BF16, OPENVINO]]
    reset_stage(run, "infer")
    assert choose_engines(run, predictor(run, project), TEXTS).ways == [BF16]


def test_mixed_int8_is_kept_to_on_a_machine_that_would_not_offer_it(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = EngineVariant("openvino", "int8-mixed")
    monkeypatch.setattr(engine_selection, "open_engine", lambda way, member, texts: answering(way, wrong=0))
    run = project.open("infer.engine=auto", "infer.precision=int8")
    measures(FLOAT, EngineVariant("openvino", "int8"), mixed)
    assert choose_engines(run, predictor(run, project), TEXTS).ways == [mixed]
    measures(FLOAT, BF16, EngineVariant("openvino", "int8"))
    assert choose_engines(run, predictor(run, project), TEXTS).ways == [mixed]


def test_a_choice_that_cannot_be_kept_to_names_the_extra(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]]
) -> None:
    run = project.open("infer.engine=auto", "infer.precision=auto")
    measures(FLOAT, OPENVINO)
    choose_engines(run, predictor(run, project), TEXTS)
    measures(FLOAT)
    with pytest.raises(UserError, match=r"moodline\[openvino\]"):
        choose_engines(run, predictor(run, project), TEXTS)


def test_few_comments_are_not_measured(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]]
) -> None:
    asked = measures(FLOAT, OPENVINO)
    run = project.open("infer.engine=auto", "infer.precision=auto")
    assert choose_engines(run, predictor(run, project), TEXTS[:99]).ways == [FLOAT]
    assert asked == []


def test_the_plan_narrows_what_is_measured(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]]
) -> None:
    asked = measures(FLOAT, BF16, EngineVariant("openvino", "int8"), EngineVariant("onnx", "int8"))
    for engine, precision in (("auto", "int8"), ("openvino", "auto")):
        run = project.open(f"infer.engine={engine}", f"infer.precision={precision}")
        choose_engines(run, predictor(run, project), TEXTS)
    assert asked == [
        [EngineVariant("openvino", "int8"), EngineVariant("onnx", "int8")],
        [EngineVariant("openvino", "int8")],
    ]


def test_an_engine_that_is_not_installed_is_named(
    project: CommentProject, measures: Callable[..., list[list[EngineVariant]]]
) -> None:
    measures(FLOAT)
    run = project.open("infer.engine=onnx", "infer.precision=auto")
    with pytest.raises(UserError, match=r"moodline\[onnx\]"):
        choose_engines(run, predictor(run, project), TEXTS)


def answering(way: EngineVariant, wrong: int) -> Any:
    """An engine that gives the first label with 0.8; in int8 another for the first `wrong` texts."""

    def classify(tokens: Tokens, on_batch: object = None) -> NDArray[np.float32]:
        found = np.tile(np.array([0.8, 0.1, 0.1], np.float32), (len(tokens), 1))
        if way.precision == "int8":
            found[:wrong] = [0.1, 0.8, 0.1]
        return found

    return SimpleNamespace(classify=classify)


@pytest.mark.parametrize("precision", ["int8", "auto"])
def test_int8_that_does_not_agree_is_refused_with_its_figures_and_never_recorded(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    int8 = EngineVariant("openvino", "int8")
    monkeypatch.setattr(engine_selection, "available_variants", lambda: [FLOAT, int8])
    monkeypatch.setattr(engine_selection, "MEASURED_FROM", 100)
    monkeypatch.setattr(engine_selection, "open_engine", lambda way, member, texts: answering(way, wrong=2))
    run = project.open("infer.engine=auto", f"infer.precision={precision}")
    if precision == "int8":
        with pytest.raises(UserError, match=r"openvino int8: .* 99\.0% of float32's labels, shares off by 1\.00%"):
            choose_engines(run, predictor(run, project), TEXTS)
        assert choice(run.engine, "small", f"engine {project.members[0]} f0 auto int8") is None
        return
    assert choose_engines(run, predictor(run, project), TEXTS).ways == [FLOAT]
    kept = choice(run.engine, "small", f"engine {project.members[0]} f0 auto auto")
    assert kept is not None
    assert [(found["way"], found["taken"]) for found in kept["measured"]] == [(str(FLOAT), True), (str(int8), False)]
    assert kept["measured"][1]["agreement"] == 0.99


def test_int8_is_calibrated_with_texts_that_it_is_not_compared_on(
    project: CommentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[EngineVariant, int]] = []
    asked: list[list[str]] = []

    def open_way(way: EngineVariant, member: Any, calibration: Callable[[], Tokens]) -> Any:
        if way.precision == "int8":
            made.append((way, len(calibration())))
        return answering(way, wrong=0)

    def encoded(member: Any, texts: Sequence[str]) -> Tokens:
        asked.append(list(texts))
        return tokens_of(member, texts)

    tokens_of = engine_selection._tokens
    monkeypatch.setattr(engine_selection, "_tokens", encoded)
    monkeypatch.setattr(engine_selection, "open_engine", open_way)
    monkeypatch.setattr(engine_selection, "available_variants", lambda: [FLOAT, EngineVariant("onnx", "int8")])
    monkeypatch.setattr(engine_selection, "MEASURED_FROM", 100)
    monkeypatch.setattr(engine_selection, "SAMPLE", 120)
    run = project.open("infer.engine=auto", "infer.precision=int8")
    choose_engines(run, predictor(run, project), TEXTS)
    compared, calibrated = asked
    assert (len(compared), len(calibrated)) == (120, 80)
    assert not set(compared) & set(calibrated)
    assert made == [(EngineVariant("onnx", "int8"), 80)]


@pytest.mark.slow
def test_a_real_choice_is_one_of_those_that_agree(project: CommentProject, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_installed("openvino"):
        pytest.skip("the extra openvino is not installed")
    monkeypatch.setattr(engine_selection, "MEASURED_FROM", 100)
    run = project.open("infer.engine=openvino", "infer.precision=auto")
    (way,) = choose_engines(run, predictor(run, project), TEXTS).ways
    assert way.engine == "openvino"
    kept = choice(run.engine, "small", f"engine {project.members[0]} f0 openvino auto")
    assert kept is not None
    taken = next(found for found in kept["measured"] if found["way"] == str(way))
    assert taken["agreement"] >= 0.995
    assert taken["shift"] <= 0.002
