"""The labelled sample: spread over time and source, kept when it grows, without floods; or what stage one doubts."""

from pathlib import Path

import numpy as np
import pytest

from stages.datasets.pseudo_labels import sampled
from stages.datasets.run_data import RunData
from stages.label.run_label import run_label
from tests.helpers.labelling_project import Labels, boasting, make_labelling, opened, truth_of


def test_the_sample_is_spread_and_the_result_reports_how_it_was_taken(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    result = run_label(opened(make_labelling(tmp_path))).as_json()["drawn"]
    assert (result["choose"], result["languages"], result["by"]) == ("stratified", None, {"stratified": 100})
    assert len(result["strata"]) == 20  # six slices of time, three sources and the rest; not all meet
    assert max(result["strata"].values()) - min(result["strata"].values()) <= 4
    again = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.choose=random")).as_json()["drawn"]
    assert (again["by"], again["strata"]) == ({"random": 100}, {"all": 100})


def test_floods_and_other_languages_are_not_labelled(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(truth_of)
    plan = make_labelling(tmp_path)
    with (tmp_path / "comments.csv").open("a", encoding="utf-8") as file:
        for i in range(50):
            file.write(f"f{i},mood1 {i} subscribe and win a present today!,2024-03-05T12:00:00Z,v1\n")
        file.write("k,오늘 정말 즐거운 하루였어요 mood1,2024-03-05T12:00:00Z,v1\n")
    more = ("pseudo_label.languages=[en]", "pseudo_label.sample=1000", "gold=null")
    result = run_label(opened(plan, *more)).as_json()
    assert result["labelled"] == 401
    assert sum("subscribe" in text for text in stub.asked) == 1
    assert result["drawn"]["left_out"] == {"duplicate": 49, "other language": 1}
    assert run_label(opened(plan, *more)).labelled == 401  # asked for more than there are, and no flood let in


def test_a_larger_sample_keeps_the_smaller_one(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(boasting)
    run_label(opened(make_labelling(tmp_path)))
    first = set(stub.asked)
    result = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.sample=150"))
    assert result.labelled == 150
    assert len(stub.asked) == 350
    assert not first & set(stub.asked[300:])


class Doubtful:
    """Stage one's winner as the choosing knows it: sure of all texts but those of one mood."""

    members = ("winner",)

    def probabilities(self, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        unsure, sure = (0.4, 0.35, 0.25), (0.9, 0.05, 0.05)
        return np.array([unsure if truth_of(text) == 2 else sure for text in texts], dtype=np.float32)


def test_what_stage_one_doubts_is_labelled_where_the_plan_says_so(
    tmp_path: Path, labels_by: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels_by(boasting)
    monkeypatch.setattr("stages.label.sample_selection.stage_one_winner", lambda run: Doubtful())
    plan = make_labelling(tmp_path, gold=60)
    run = opened(plan, "pseudo_label.choose=uncertain", "pseudo_label.sample=50")
    read = sampled(run, run_label(run), RunData(run).gold)
    assert [truth_of(text) for text in read.texts] == [2] * 50
    run = opened(plan, "pseudo_label.choose=mixed", "pseudo_label.sample=50")
    result = run_label(run)
    assert result.as_json()["drawn"]["by"] == {"stratified": 25, "uncertain": 25}
    moods = [truth_of(text) for text in sampled(run, result, RunData(run).gold).texts]
    assert moods[1::2] == [2] * 25
    assert 0 < sum(mood == 2 for mood in moods[::2]) < 20
