"""One model is distilled from the ensemble: compared with it, used, and trained again when the ensemble changes."""

from typing import Any

import pytest

from stages.plan.schema import read_plan
from tests.helpers.small_project import Project
from transfer.errors import UserErrors

DISTIL = """
distil:
  encoder: models/bert
  sample: 90
  temperature: 2
  labels: 0.2
  space: {learning_rate: 5e-3, epochs: 4, batch_size: 8, max_length: 32, dropout: 0}
final: distilled
"""


@pytest.fixture
def distilled(finished: Project) -> tuple[Project, dict[str, Any]]:
    with finished.plan.open("a", encoding="utf-8") as file:
        file.write(DISTIL)
    return finished, finished.json("ensemble", "plan.yaml")


def test_the_model_is_compared_with_its_teacher_and_used(distilled: tuple[Project, dict[str, Any]]) -> None:
    project, printed = distilled
    found = printed["distilled"]
    assert found["winner"]["name"] == "distil/models-bert/trial-0"
    assert found["texts"] == 90
    assert 0 < found["bytes"]["model"] < found["bytes"]["teacher"]
    assert set(found["against"]) == {"gold report", "test"}
    for against in found["against"].values():
        assert 0 <= against["agreement"] <= 1
        assert against["macro_f1"]["low"] <= against["macro_f1"]["value"] <= against["macro_f1"]["high"]
    assert found["against"]["test"]["agreement"] > 0.8
    by_model = {(row["model"], row["split"]): row["macro_f1"] for row in printed["rows"] + found["rows"]}
    difference = by_model["distilled: models/bert", "test"] - by_model[printed["chosen"], "test"]
    assert found["against"]["test"]["macro_f1"]["value"] == pytest.approx(difference)
    predicted = project.json("predict", "plan.yaml", "so happy and fun")
    assert predicted["predictor"] == "distil/models-bert/trial-0"
    assert predicted["predictions"][0]["label"] == "joy"
    again = project.run("run", "plan.yaml")
    assert again.returncode == 0, again.stderr
    assert "distil: done before, nothing changed" in again.stderr
    status = project.json("status", "plan.yaml")
    assert "distil" in [stage["stage"] for stage in status["stages"]]
    assert {row["stage"] for row in status["results"]} >= {"ensemble", "distil"}
    study = next(study for study in status["studies"] if " · distil · " in study["name"])
    assert (study["complete"], study["target"]) == (1, 1)


@pytest.mark.slow
def test_another_teacher_trains_another_model_and_nothing_of_the_old_one_stays(
    distilled: tuple[Project, dict[str, Any]],
) -> None:
    project, printed = distilled
    rates = "distil.space.learning_rate={low: 3e-3, high: 5e-3}"
    sets = [word for override in ("ensemble.top=1", "distil.trials=2", rates) for word in ("--set", override)]
    other = project.json("ensemble", "plan.yaml", *sets)["distilled"]
    assert other["fingerprint"] != printed["distilled"]["fingerprint"]
    assert [(study["complete"], study["target"]) for study in other["studies"]] == [(2, 2)]
    weights = (project.workspace / "files" / "models").glob("*distil*/**/model.safetensors")
    assert len(list(weights)) == 1
    names = [study["name"] for study in project.json("status", "plan.yaml")["studies"]]
    assert len([name for name in names if " · distil · " in name]) == 1


def test_final_distilled_without_a_distillation_is_refused_at_once(project: Project) -> None:
    with pytest.raises(UserErrors, match="no model is distilled"):
        read_plan(project.plan, ["final=distilled"])
    with pytest.raises(UserErrors, match="learning_rat"):
        read_plan(project.plan, ["distil={encoder: models/bert, space: {learning_rat: 0.1}}"])
