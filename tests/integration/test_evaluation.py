"""What `moodline evaluate` gives beside its figures: slices, errors, pictures; and the run's own pictures."""

import csv
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_project import Project, write_csv
from tests.helpers.tiny_encoders import LABELS, easy_texts


@pytest.fixture
def unseen(finished: Project) -> Project:
    """A labelled file of 60 rows, every ninth of them labelled wrong, three videos, four months."""
    texts, labels = easy_texts(60, seed=5)
    rows = [
        (text, LABELS[(label + (i % 9 == 0)) % 3], f"v{i % 3}", f"2024-0{1 + i % 4}-05 10:00")
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    write_csv(finished.folder / "unseen.csv", ["text", "label", "video", "at"], [*rows, ("", "joy", "v1", "")])
    return finished


def test_an_evaluation_slices_lists_errors_and_draws(unseen: Project) -> None:
    words = ("--source", "video", "--time", "at", "--errors", "wrong.csv", "--pictures", "pictures")
    printed = unseen.json("evaluate", "plan.yaml", "--data", "unseen.csv", *words)
    assert [part["slice"] for part in printed["slices"]["source"]] == ["v0", "v1", "v2"]
    assert [part["slice"] for part in printed["slices"]["month"]] == [f"2024-0{i}" for i in (1, 2, 3, 4)]
    assert all(sum(part["n"] for part in parts) == printed["n"] == 60 for parts in printed["slices"].values())
    with (unseen.folder / "wrong.csv").open(encoding="utf-8-sig") as file:
        wrong = list(csv.DictReader(file))
    assert len(wrong) == 60 - sum(printed["confusion"][i][i] for i in range(3)) > 0
    sure = [float(row["confidence"]) for row in wrong]
    assert sure == sorted(sure, reverse=True)
    for row in wrong:
        assert row["label"] != row["predicted"]
        assert row["predicted"] == max(LABELS, key=lambda label: float(row[f"p_{label}"]))
    for row, found in zip(wrong, printed["wrong"], strict=True):
        assert (row["text"], row["label"], row["predicted"]) == (found["text"], found["label"], found["predicted"])
        assert found["confidence"] == max(found["probabilities"].values())
        assert float(row["confidence"]) == pytest.approx(found["confidence"], abs=1e-5)
    _every_figure_has_its_interval(printed)
    names = {Path(path).name for path in printed["pictures"]}
    assert names == {f"{name}.png" for name in ("confusion", "reliability", "figures", "courses", "labels", "words")}
    assert all((unseen.folder / path).stat().st_size > 5000 for path in printed["pictures"])


def _every_figure_has_its_interval(printed: dict[str, Any]) -> None:
    averages = {f"{mean}_{name}" for mean in ("macro", "weighted") for name in ("f1", "precision", "recall")}
    for name in ("accuracy", "log_loss", "brier", "ece", *sorted(averages)):
        found = printed["intervals"][name]
        assert found["low"] <= printed[name] <= found["high"], name
        assert found["value"] == pytest.approx(printed[name]), name
    for label in LABELS:
        for name in ("precision", "recall", "f1", "accuracy"):
            found = printed["intervals"]["per_class"][label][name]
            assert found["value"] == pytest.approx(printed["per_class"][label][name])
            assert found["low"] <= found["value"] <= found["high"]
    for counts, shares in zip(printed["confusion"], printed["confusion_shares"], strict=True):
        assert shares == pytest.approx([count / sum(counts) for count in counts])
    assert sum(held["n"] for held in printed["reliability"]) == printed["n"]


def test_a_kept_trial_is_evaluated_by_its_name(unseen: Project) -> None:
    printed = unseen.json("evaluate", "plan.yaml", "--data", "unseen.csv", "--model", "search/models-bert/trial-0")
    assert printed["predictor"] == "search/models-bert/trial-0"
    wrong = unseen.run("predict", "plan.yaml", "so happy", "--model", "search/models-bert/trial-99")
    assert wrong.returncode == 1
    assert "no model 'search/models-bert/trial-99' is kept" in wrong.stderr
    assert "search/models-bert/trial-0" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--time", "video"), "can be read as a time"), (("--source", "film"), "film")],
)
def test_a_column_that_cannot_be_used_is_named(unseen: Project, words: tuple[str, str], message: str) -> None:
    done = unseen.run("evaluate", "plan.yaml", "--data", "unseen.csv", *words)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_runs_pictures_lie_in_its_results_and_on_its_pages(finished: Project) -> None:
    finished.json("ensemble", "plan.yaml")
    finished.json("monitor", "plan.yaml", "--anew", "monitor")
    results = finished.workspace / "results"
    pictures = sorted(path.name for path in (results / "pictures").glob("*.png"))
    expected = ("confusion", "courses", "figures", "labels", "reliability", "words")
    assert pictures == [f"{name}.png" for name in expected]
    for page in ("index.html", "models.html"):
        text = (results / page).read_text(encoding="utf-8")
        for name in pictures:
            assert b64encode((results / "pictures" / name).read_bytes()).decode() in text
        assert "http://" not in text.replace("http://www.w3.org", "") or page == "index.html"
    (results / "pictures" / "confusion.png").write_bytes(b"mine")
    finished.json("ensemble", "plan.yaml")
    assert (results / "pictures" / "confusion.png").read_bytes() == b"mine", "drawn once"
