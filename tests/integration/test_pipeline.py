"""The whole pipeline from the command line, and what every command says with --json."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.small_project import Project, outcome
from tests.helpers.tiny_encoders import LABELS, easy_texts


def test_a_run_ends_with_a_table_of_all_models_and_a_page(finished: Project) -> None:
    told = finished.json("run", "plan.yaml")
    assert [stage["stage"] for stage in told["stages"]] == [
        "search",
        "label",
        "further",
        "ensemble",
        "infer",
        "monitor",
    ]
    assert {stage["state"] for stage in told["stages"]} == {"done"}
    models = {row["model"].split(":")[0] for row in told["results"]}
    assert {"majority class", "TF-IDF + logistic regression", "stage one", "stage two"} <= models
    assert {row["split"] for row in told["results"]} == {"validation", "gold report", "test"}
    for row in told["results"]:
        assert 0 <= row["macro_f1"] <= 1
        assert row["low"] <= row["macro_f1"] <= row["high"]
    assert Path(told["page"]).is_file()
    assert Path(told["workspace"]) == finished.workspace


def test_running_again_skips_what_is_done(finished: Project) -> None:
    done = finished.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("done before, nothing changed") == 6
    assert "trial" not in done.stderr


def test_search_tells_studies_and_winner(finished: Project) -> None:
    told = finished.json("search", "plan.yaml")
    assert len(told["studies"]) == 2
    for study in told["studies"]:
        assert study["complete"] + study["pruned"] == study["target"] == 3
        assert set(study["best"]) >= {"trial", "value", "params"}
        assert study["baseline"]["trial"] == 0
    assert set(told["winner"]) >= {"candidate", "study", "trial", "value", "path"}
    assert told["winner"]["value"] == max(study["best"]["value"] for study in told["studies"])
    assert (Path(told["winner"]["path"]) / "model.safetensors").is_file()


def test_a_trained_encoder_beats_the_majority_class(finished: Project) -> None:
    rows = finished.json("search", "plan.yaml")["rows"]
    best = max(row["macro_f1"] for row in rows if row["stage"] == "search")
    assert best > 0.6 > next(row["macro_f1"] for row in rows if row["model"] == "majority class")


def test_label_tells_counts_and_agreement(finished: Project) -> None:
    told = finished.json("label", "plan.yaml")
    assert told["labelled"] == 60
    assert told["missing"] == 0
    assert told["kappa"]["low"] <= told["kappa"]["value"] <= told["kappa"]["high"]
    assert told["labeller"]["model"] == "models/lm"


def test_further_starts_from_the_winner(finished: Project) -> None:
    winner = finished.json("search", "plan.yaml")["winner"]
    told = finished.json("further", "plan.yaml")
    assert told["winner"]["candidate"] == winner["candidate"]
    assert told["studies"][0]["target"] == 2
    assert {"pseudo_share", "confidence", "label_softness"} <= set(told["studies"][0]["best"]["params"])


def test_ensemble_compares_combinations_and_reads_test_once(finished: Project) -> None:
    told = finished.json("ensemble", "plan.yaml")
    assert len(told["members"]) == 3
    assert set(told["validation"]) >= {"mean", "product", "maximum", "minimum", "weighted", "greedy", "stacking"}
    for figures in told["validation"].values():
        for name in ("accuracy", "macro_f1"):
            assert figures["intervals"][name]["low"] <= figures[name] <= figures["intervals"][name]["high"]
    assert all(line["interval"]["low"] <= line["value"] <= line["interval"]["high"] for line in told["combinations"])
    assert told["best_single"] in told["members"]
    assert told["chosen"] == "ensemble (mean of 3)"
    assert told["test_readings"] == 1
    assert all(set(figures) == {"accuracy", "macro_f1", "intervals"} for figures in told["test"].values())


def test_infer_classifies_every_comment_in_order(finished: Project) -> None:
    told = finished.json("infer", "plan.yaml")
    assert told["rows"] == 160
    assert told["unique"] <= told["rows"]
    assert len(told["shards"]) == 4
    tables = [pq.read_table(finished.workspace / "files" / name) for name in told["shards"]]
    assert [i for table in tables for i in table.column("id").to_pylist()] == [f"c{i}" for i in range(160)]
    first = tables[0].to_pylist()[0]
    assert abs(sum(first[f"p_{label}"] for label in LABELS) - 1) < 1e-5
    assert first["label"] == max(LABELS, key=lambda label: first[f"p_{label}"])
    assert "author 0" not in str(tables[0].to_pydict())


def test_monitor_draws_shares_and_an_index(finished: Project) -> None:
    told = finished.json("monitor", "plan.yaml")
    for name in ("page", "csv", "png"):
        assert Path(told[name]).stat().st_size > 500
    days = [period for period in told["periods"] if period["every"] == "day"]
    assert sum(day["n"] for day in days) == 160
    drawn = next(day for day in days if day["index"])
    assert abs(sum(share["value"] for share in drawn["shares"].values()) - 1) < 1e-9
    assert 0 <= drawn["index"]["low"] <= drawn["index"]["value"] <= drawn["index"]["high"] <= 100


def test_a_deleted_page_is_drawn_again(finished: Project) -> None:
    page = finished.workspace / "results" / "index.html"
    page.unlink()
    finished.json("monitor", "plan.yaml")
    assert page.is_file()


def test_status_tells_where_it_stands(finished: Project) -> None:
    told = finished.json("status", "plan.yaml")
    assert told["name"] == "small"
    assert [stage["state"] for stage in told["stages"]] == ["done"] * 6
    assert len(told["studies"]) == 4
    assert told["disk_bytes"] > 10_000
    assert told["leader"] is None


def test_evaluate_judges_each_stage_on_a_labelled_file(finished: Project) -> None:
    from tests.helpers.small_project import write_csv

    texts, labels = easy_texts(30, seed=5)
    write_csv(finished.folder / "unseen.csv", ["text", "label"], zip(texts, [LABELS[i] for i in labels], strict=True))
    for stage in ("search", "further", "ensemble"):
        told = finished.json("evaluate", "plan.yaml", "--data", "unseen.csv", "--stage", stage)
        assert told["n"] == 30
        assert told["labels"] == list(LABELS)
        assert sum(map(sum, told["confusion"])) == 30
        assert set(told["per_class"]) == set(LABELS)
        assert {"accuracy", "macro_f1", "weighted_f1"} <= set(told)


def test_predict_tells_a_label_for_each_text(finished: Project) -> None:
    told = finished.json("predict", "plan.yaml", "so furious and angry", "what a lovely happy day")
    assert [found["text"] for found in told["predictions"]] == ["so furious and angry", "what a lovely happy day"]
    for found in told["predictions"]:
        assert found["label"] == max(found["probabilities"], key=found["probabilities"].get)


@pytest.mark.parametrize("stage", ["search", "ensemble"])
def test_an_export_loads_in_transformers_alone(finished: Project, stage: str) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    finished.json("export", "plan.yaml", "out", "--stage", stage)
    folder = finished.folder / "out"
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: text-classification" in card
    assert "macro-F1" in card
    if stage == "ensemble":
        told = json.loads((folder / "ensemble.json").read_text())
        assert told["combine"] == "mean"
        folder = folder / told["members"][0]
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert [model.config.id2label[i] for i in range(3)] == list(LABELS)
    logits = model(**AutoTokenizer.from_pretrained(folder)("what a lovely day", return_tensors="pt")).logits
    assert logits.shape == (1, 3)


def test_an_export_does_not_overwrite(finished: Project) -> None:
    finished.json("export", "plan.yaml", "out")
    again = finished.run("export", "plan.yaml", "out")
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_check_tells_what_would_run(project: Project) -> None:
    told = project.json("check", "plan.yaml")
    assert told["problems"] == []
    assert told["rows"]["comments"] == 160
    assert set(told["labels"]["train"]) == set(LABELS)
    assert told["would_run"][0]["stage"] == "search"
    assert told["seconds"]["search"] > 0
    assert not project.workspace.exists(), "check writes nothing"


def test_only_the_best_trials_weights_stay_on_disk(finished: Project) -> None:
    folders = [path.parent.parent.name for path in finished.workspace.rglob("model.safetensors")]
    assert sorted(folders.count(name) for name in set(folders)) == [1, 2, 2]
    scratch = finished.workspace / "scratch"
    assert not [path for path in scratch.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_raising_the_trials_goes_on_and_keeps_what_was_done(finished: Project) -> None:
    before = finished.json("search", "plan.yaml")["studies"]
    told = finished.json("search", "plan.yaml", "--set", "search.trials=4")
    for study, earlier in zip(told["studies"], before, strict=True):
        assert study["complete"] + study["pruned"] == 4
        assert study["baseline"] == earlier["baseline"]


def test_comments_added_later_are_classified_alone(finished: Project) -> None:
    table = pq.read_table(finished.folder / "comments.parquet").slice(0, 20)
    pq.write_table(table, finished.folder / "more.parquet")
    text = finished.plan.read_text()
    line = next(line for line in text.splitlines() if line.startswith("comments:"))
    finished.write((line, line.replace("comments.parquet", "'*.parquet'")))
    told = finished.json("infer", "plan.yaml")
    assert told["rows"] == 180
    assert len(told["shards"]) == 5


def test_a_file_read_by_two_columns_and_a_twin_file_each_have_their_shards(finished: Project) -> None:
    table = pq.read_table(finished.folder / "comments.parquet").slice(0, 20)
    pq.write_table(table.append_column("title", [["so happy and glad"] * 20]), finished.folder / "two.parquet")
    (finished.folder / "twin.parquet").write_bytes((finished.folder / "two.parquet").read_bytes())
    line = next(line for line in finished.plan.read_text().splitlines() if line.startswith("comments:"))
    sources = "[{path: two.parquet, id: id, text: title}, {path: two.parquet, id: id}, {path: twin.parquet, id: id}]"
    finished.write((line, f"comments: {sources}"))
    told = finished.json("infer", "plan.yaml")
    assert told["rows"] == 60
    assert len(set(told["shards"])) == 3
    titles, texts, twins = (
        pq.read_table(finished.workspace / "files" / name).column("p_joy").to_pylist() for name in told["shards"]
    )
    assert len(set(titles)) == 1
    assert texts == twins
    assert len(set(texts)) > 1


@pytest.mark.slow
def test_a_further_source_leaves_the_shards_of_the_others_alone(finished: Project) -> None:
    before = finished.json("infer", "plan.yaml")["shards"]
    pq.write_table(pq.read_table(finished.folder / "comments.parquet").slice(0, 20), finished.folder / "more.parquet")
    line = next(line for line in finished.plan.read_text().splitlines() if line.startswith("comments:"))
    finished.write((line, f"{line[:-1]}, {{path: more.parquet, text: text}}]"))
    assert finished.json("infer", "plan.yaml")["shards"][:4] == before


def test_comments_added_later_do_not_change_what_was_learnt_from(finished: Project) -> None:
    before = outcome(finished)
    table = pq.read_table(finished.folder / "comments.parquet")
    new = table.set_column(1, "text", [[f"{text} indeed" for text in table.column("text").to_pylist()]])
    pq.write_table(pa.concat_tables([table, new]), finished.folder / "comments.parquet")
    done = finished.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert "label: done before, nothing changed" in done.stderr
    after = outcome(finished)
    assert after["trials"] == before["trials"]
    assert after["labels"] == before["labels"]
    assert len(after["shards"]) > len(before["shards"])


@pytest.mark.slow
def test_a_larger_sample_keeps_the_smaller_one(finished: Project) -> None:
    before = outcome(finished)["labels"]
    told = finished.json("label", "plan.yaml", "--set", "pseudo_label.sample=80")
    assert told["labelled"] == 80
    assert before.items() <= outcome(finished)["labels"].items()


@pytest.mark.slow
def test_a_study_begun_anew_is_judged_by_its_own_predictions(finished: Project) -> None:
    more = ("--set", "search.space.epochs=1", "--set", "search.trials=1", "--set", "candidates=[models/bert]")
    done = finished.run("run", "plan.yaml", "--anew", "search", "--json", *more)
    assert done.returncode == 0, done.stderr
    winner = finished.json("search", "plan.yaml", *more)["winner"]
    rows = json.loads(done.stdout)["results"]
    own = next(row for row in rows if row["model"].startswith("stage one") and row["split"] == "validation")
    assert own["macro_f1"] == pytest.approx(winner["value"], abs=1e-6)


def test_a_plan_without_comments_ends_with_the_ensemble(project: Project) -> None:
    lines = project.plan.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("comments", "gold", "pseudo_label", "further"))]
    project.plan.write_text("\n".join([*kept, "pseudo_label: null"]))
    told = project.json("run", "plan.yaml", "--set", "search.trials=1", "--set", "candidates=[models/bert]")
    assert [stage["stage"] for stage in told["stages"]] == ["search", "ensemble"]
    assert told["page"] is None


@pytest.mark.slow
def test_without_gold_stage_two_is_chosen_by_held_out_labels_and_says_so(project: Project) -> None:
    text = "\n".join(line for line in project.plan.read_text().splitlines() if not line.startswith("gold"))
    project.plan.write_text(text)
    small = ("--set", "search.trials=1", "--set", "candidates=[models/bert]", "--set", "further.trials=1")
    for command in ("search", "label"):
        assert project.run(command, "plan.yaml", *small).returncode == 0
    done = project.run("further", "plan.yaml", *small)
    assert done.returncode == 0, done.stderr
    assert "without gold" in done.stderr
    assert project.json("label", "plan.yaml", *small)["kappa"] is None
