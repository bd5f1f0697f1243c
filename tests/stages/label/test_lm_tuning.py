"""Tuning within a run: learnt once from original data, judged on gold, used where it helps and nowhere else.

The LM is tiny and random.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.datasets.original_and_gold import read_original
from stages.label import lm_tuning
from stages.label.run_label import run_label
from stages.runtime.run_context import ADAPTERS, Run
from storage.records.pseudo_labels import labellers, labels_of
from tests.helpers.labelling_project import opened, write
from tests.helpers.tiny_lms import save_lm
from transfer.corpus.labelled import select_rows
from transfer.errors import UserError
from transfer.labellers.labeller_settings import TuningSettings
from transfer.labellers.local import peft_tuning as tune_module

LABELS = ("anger", "joy", "sadness")
PLAN = """
name: small
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}], validation: 0.1, test: null}
comments: [{path: comments.csv, id: id}]
gold: {path: gold.csv, id: id}
candidates: [models/none]
pseudo_label:
  sample: 10
  calibrate: none
  choose: random
  labeller:
    model: lm
    dtype: float32
    prompt: {instruction: Judge.}
    tuning: {kind: lora, rank: 4, learning_rate: 0.02, epochs: 3, batch: 8, sample: 72, held_out: 12, judge: gold}
"""


def text_of(label: int, i: int) -> str:
    """A run of one letter tells the label; a word of its own keeps texts apart."""
    rng = np.random.default_rng(i)
    return "aze"[label] * int(rng.integers(4, 9)) + " " + "".join(rng.choice(list("bcfghjkmnp"), 4))


def make(folder: Path, *, original_off_by: int = 0) -> Path:
    """Data whose original labels are the truth, or `original_off_by` labels beside it; a plan with a tiny LM."""
    truth = [i % 3 for i in range(200)]
    texts = [text_of(label, i) for i, label in enumerate(truth)]
    named = [LABELS[(label + original_off_by) % 3] for label in truth]
    write(folder / "original.csv", text=texts[:120], label=named[:120])
    write(folder / "gold.csv", id=range(60), text=texts[120:180], label=[LABELS[label] for label in truth[120:180]])
    write(folder / "comments.csv", id=range(80), text=texts[120:])
    save_lm(folder / "lm", "llama", chat=False)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder / "plan.yaml"


Trained = list[dict[str, Any]]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    """What was learnt from, one entry for each training."""
    seen: Trained = []
    real: Callable[..., Any] = tune_module.tune

    def watched(labeller: Any, settings: Any, learn: Any, held_out: Any, *rest: Any) -> Any:
        seen.append({"learn": set(learn.texts), "held_out": set(held_out.texts)})
        return real(labeller, settings, learn, held_out, *rest)

    monkeypatch.setattr(tune_module, "tune", watched)
    return seen


def adapters(run: Run) -> list[str]:
    return run.files.names(ADAPTERS)


def test_a_tuned_labeller_that_gains_labels_and_is_learnt_once(tmp_path: Path, trained: Trained) -> None:
    plan = make(tmp_path)
    run = opened(plan)
    told = run_label(run).as_json()
    (found,) = told["tuning"]
    assert found["used"]
    assert found["gain"]["macro_f1"]["low"] > 0
    assert found["tuned"]["macro_f1"]["value"] > found["plain"]["macro_f1"]["value"] + 0.15
    assert found["judged_on"] == "gold's tune half"
    assert told["labeller"]["adapter"]["kind"] == "lora"
    assert told["accuracy"] > 0.5
    # the plain labeller stands beside it, asked about the rows that judge and nothing else
    plain = next(known for known in labellers(run.engine) if "adapter" not in known.description)
    assert len(list(labels_of(run.engine, plain.identity))) == found["n"]
    again = run_label(opened(plan, "pseudo_label.sample=12")).as_json()
    assert (again["identity"], again["labelled"]) == (told["identity"], 12)
    assert again["tuning"] == [found]
    assert len(trained) == 1
    assert adapters(run) == [found["adapter"]]
    json.dumps(told)


def test_gold_trains_nothing_and_parts_do_not_meet(tmp_path: Path, trained: Trained) -> None:
    plan = make(tmp_path)
    with (tmp_path / "original.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{text_of(i % 3, i)},{LABELS[i % 3]}\n" for i in range(120, 180))  # gold's own texts
    run_label(opened(plan))
    (seen,) = trained
    gold = {text_of(i % 3, i) for i in range(120, 180)}
    assert not gold & (seen["learn"] | seen["held_out"])
    assert not seen["learn"] & seen["held_out"]
    assert (len(seen["learn"]), len(seen["held_out"])) == (72, 12)


def test_a_tuned_labeller_that_does_not_gain_is_left_and_said_so(tmp_path: Path) -> None:
    plan = make(tmp_path, original_off_by=1)  # what it learns is wrong of the comments
    told = run_label(opened(plan)).as_json()
    (found,) = told["tuning"]
    assert found["losses"][found["epoch"] - 1] < found["plain_loss"]  # it has learnt, only not this
    assert not found["used"]
    assert "so the plain prompt labels" in found["summary"]
    assert "adapter" not in told["labeller"]
    bare = run_label(opened(plan, "pseudo_label.labeller.tuning=null")).as_json()
    assert bare["identity"] == told["identity"]
    assert bare["tuning"] == []


def test_a_killed_tuning_ends_like_one_that_ran_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
    killed, whole = make(tmp_path / "killed"), make(tmp_path / "whole")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("transfer.labellers.local.peft_adapter.Attached.save", die)
        with pytest.raises(KeyboardInterrupt):
            run_label(opened(killed))
    assert adapters(opened(killed)) == []
    assert run_label(opened(killed)).identity == run_label(opened(whole)).identity


def test_of_several_prompts_one_is_learnt_with_and_all_are_used(tmp_path: Path, trained: Trained) -> None:
    run = opened(make(tmp_path), "pseudo_label.labeller.prompt.orders=2")
    told = run_label(run).as_json()
    assert told["tuning"][0]["used"]
    assert len(trained) == 1
    members = [known.description for known in labellers(run.engine) if "adapter" in known.description]
    assert len(members) == 2
    assert len({member["adapter"]["content"] for member in members}) == 1


def test_without_gold_other_original_rows_judge(tmp_path: Path) -> None:
    how = ("gold=null", "pseudo_label.labeller.tuning.judge=auto")
    (told,) = run_label(opened(make(tmp_path), *how)).as_json()["tuning"]
    assert (told["judged_on"], told["n"], told["used"]) == ("held-out original data", 12, True)
    with pytest.raises(UserError, match="the plan has no gold"):
        run_label(opened(tmp_path / "plan.yaml", "gold=null"))


def test_without_tuning_a_stage_done_before_stays_done() -> None:
    assert lm_tuning.tuning_parts([None, None]) == {}


def test_rows_are_dealt_alike_per_label_and_too_few_are_a_message(tmp_path: Path) -> None:
    run = opened(make(tmp_path))
    train = read_original(run.plan).train
    settings = TuningSettings(sample=30, held_out=9)
    parts = lm_tuning._split(train, settings, 0, "tuning")
    assert [np.bincount(part.labels).tolist() for part in parts] == [[10] * 3, [3] * 3, [3] * 3]
    few = select_rows(train, np.arange(len(train)) < 2, {})
    with pytest.raises(UserError, match="2 rows of original train are too few"):
        lm_tuning._split(few, TuningSettings(sample=1000, held_out=1), 0, "tuning")
