"""The study's note, as the dashboard reads it, and what people write below it."""

import pytest

from studies.dashboard.study_note import END, read_note
from tests.helpers.formula_search import Finish


def test_the_note_has_best_against_baseline_as_the_dashboard_reads_it(shown: Finish) -> None:
    note_of = pytest.importorskip("optuna_dashboard._note").get_note
    study, _ = shown()
    note = note_of(study)
    assert note == read_note(study._storage.get_study_system_attrs(study._study_id))
    assert f"| {study.best_trial.number} | {study.best_value:.4f} |" in note
    assert f"The untuned baseline (trial 0) has macro-F1 {study.trials[0].value:.4f}" in note
    assert study.metric_names == ["macro-F1"]
    assert study.user_attrs["trials"] == 12


def test_what_people_write_below_the_note_stays(shown: Finish) -> None:
    save_note = pytest.importorskip("optuna_dashboard").save_note
    study, shows = shown()
    attributes = study._storage.get_study_system_attrs
    save_note(study, read_note(attributes(study._study_id)).replace("Best of", "Old: best of") + "\nmine " * 900)
    shows._noted = -1
    shows.finish()
    note = read_note(attributes(study._study_id))
    assert note.startswith("## Best of")
    assert note.partition(END)[2].count("mine") == 900
    save_note(study, "all of it is mine")
    shows._noted = -1
    shows.finish()
    assert read_note(attributes(study._study_id)) == "all of it is mine"
