"""An export loads without moodline: with transformers' pipeline, and in other forms; its card has the true figures."""

import json
import re
from typing import Any

import numpy as np
import pytest

from tests.helpers.small_project import Project
from tests.helpers.tiny_encoders import LABELS

TEXT = "what a lovely happy day"


def card_of(project: Project, folder: str) -> tuple[dict[str, Any], str]:
    from huggingface_hub import ModelCard

    card = ModelCard.load(project.folder / folder / "README.md")
    return card.data.to_dict(), card.text


def test_the_pipeline_of_transformers_predicts_what_predict_does(finished: Project) -> None:
    from transformers import pipeline

    finished.json("export", "plan.yaml", "out", "--model", "search/models-bert/trial-0")
    classify: Any = pipeline("text-classification", str(finished.folder / "out"), top_k=None)
    predicted = {found["label"]: found["score"] for found in classify([TEXT])[0]}
    printed = finished.json("predict", "plan.yaml", TEXT, "--model", "search/models-bert/trial-0")
    assert set(predicted) == set(LABELS)
    assert predicted == pytest.approx(printed["predictions"][0]["probabilities"], abs=1e-5)
    card = card_of(finished, "out")[1]
    assert re.search(r"from models/bert \(bert, \d+ layers of \d+ units\)", card)
    for label in LABELS:  # a trial's own figures have their intervals, too
        assert re.search(rf"- validation, {label}: F1 [\d.]+ \([\d.]+ to [\d.]+\)", card)


def test_the_card_has_data_scores_with_intervals_and_limits(finished: Project) -> None:
    finished.json("export", "plan.yaml", "out")
    data, text = card_of(finished, "out")
    assert data["pipeline_tag"] == "text-classification"
    assert "base_model" not in data, "a folder of this machine is no model of the hub"
    judged = finished.json("ensemble", "plan.yaml")["judged"]
    metrics = {
        (result["dataset"]["name"], metric["type"]): metric["value"]
        for index in data["model-index"]
        for result in index["results"]
        for metric in result["metrics"]
    }
    assert metrics["small, test", "macro_f1"] == pytest.approx(judged["test"]["macro_f1"], abs=1e-4)
    assert not any("validation" in name for name, _ in metrics)
    interval = judged["test"]["intervals"]["brier"]
    assert f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})" in text
    for words in ("## Limits", "## Data", "pseudo-labels: 60 comments by models/lm", "Cohen's κ", "learning_rate"):
        assert words in text


@pytest.mark.slow
def test_a_fitted_ensemble_is_written_so_that_others_can_combine_it(finished: Project) -> None:
    from transformers import pipeline

    words = ("--set", "ensemble.combine=weighted", "--set", "ensemble.calibrate=temperature", "--set", "final=ensemble")
    finished.json("ensemble", "plan.yaml", *words)
    finished.json("export", "plan.yaml", "out", *words)
    printed = json.loads((finished.folder / "out" / "ensemble.json").read_text(encoding="utf-8"))
    raised = []
    for name, temperature in zip(printed["members"], printed["temperatures"], strict=True):
        classify: Any = pipeline("text-classification", str(finished.folder / "out" / name), top_k=None)
        found = classify([TEXT])[0]
        by_label = {one["label"]: one["score"] for one in found}
        own = np.array([by_label[label] for label in printed["labels"]]) ** (1 / temperature)
        raised.append(own / own.sum())
    mixed = np.array(printed["weights"]) @ np.array(raised)
    predicted = finished.json("predict", "plan.yaml", TEXT, *words)["predictions"][0]["probabilities"]
    assert mixed.tolist() == pytest.approx(list(predicted.values()), abs=1e-5)


def test_an_unknown_form_is_refused(finished: Project) -> None:
    done = finished.run("export", "plan.yaml", "out", "--format", "tensorrt")
    assert done.returncode == 1
    assert "--format tensorrt" in done.stderr
    assert "openvino" in done.stderr
    assert not (finished.folder / "out").exists()


@pytest.mark.slow
def test_other_forms_lie_beside_the_weights(finished: Project) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    words = ("--format", "onnx", "--format", "openvino", "--model", "search/models-roberta/trial-0")
    printed = finished.json("export", "plan.yaml", "out", *words)
    assert set(printed["formats"]) == {"onnx", "openvino"}
    assert all(difference < 1e-4 for difference in printed["formats"].values())
    out = finished.folder / "out"
    assert (out / "onnx" / "model.onnx").is_file()
    assert (out / "openvino" / "openvino_model.xml").is_file()
    assert "`openvino/` beside the weights" in card_of(finished, "out")[1]
