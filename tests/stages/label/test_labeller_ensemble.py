"""Labellers of a plan: several prompts of one, examples, and none named twice."""

import re
from pathlib import Path

import pytest

from stages.datasets.pseudo_labels import sampled
from stages.datasets.run_data import RunData
from stages.results.label_result import LabelResult
from storage.records.pseudo_labels import labellers, labels_of
from tests.helpers.fake_server import comment_in, serve
from tests.helpers.labelling_project import LABELS, truth_of
from tests.helpers.served_labellers import WORDINGS, at, by_wording, labelled, one, rightly, several
from transfer.errors import UserError


def test_prompts_are_averaged_and_their_agreement_is_kept_and_told(tmp_path: Path) -> None:
    with serve(by_wording) as fake:
        run, told = labelled(tmp_path, one(fake, prompt=WORDINGS), "pseudo_label.calibrate=none")
        assert len(fake.asked) == 100 * 6
    rows = {row.key: row for row in labels_of(run.engine, told["identity"])}
    assert len(rows) == 100
    read = sampled(run, LabelResult.model_validate(told), RunData(run).gold)
    for key, text, label in zip(read.keys, read.texts, read.label, strict=True):
        mistaken, truth = int(text.split()[1]) % 4 == 0, truth_of(text)
        assert label == ((truth + 1) % 3 if mistaken else truth)
        assert rows[key].agreement == (0.5 if mistaken else 1)
        probabilities = rows[key].probabilities
        assert probabilities is not None
        assert probabilities[label] == pytest.approx((0.9 + 0.2) / 2 if mistaken else 0.6)
    (mine,) = told["labellers"]
    assert len(mine["prompts"]) == 6
    assert mine["prompts"][0]["kappa"]["value"] == 1 > mine["prompts"][3]["kappa"]["value"]
    assert mine["agreement"]["unanimous"] == pytest.approx(sum(row.agreement == 1 for row in rows.values()) / 100)
    orders = [tuple(prompt["order"]) for prompt in mine["prompts"][:3]]
    assert orders == [("anger", "joy", "sadness"), ("joy", "sadness", "anger"), ("sadness", "anger", "joy")]
    assert told["tokens"] == sum(row.tokens for row in rows.values()) == 600 * 100


def test_a_prompt_is_checked_whole_before_anything_is_asked(tmp_path: Path) -> None:
    with serve(by_wording) as fake:
        with pytest.raises(UserError, match="orders"):
            labelled(tmp_path, one(fake, prompt={**WORDINGS, "orders": 7}))
        assert fake.asked == []


def test_a_further_wording_is_the_only_one_that_is_asked(tmp_path: Path) -> None:
    with serve(by_wording) as fake:
        _, first = labelled(tmp_path, one(fake, prompt={"instruction": "Which mood?"}))
        assert (first["asked"], len(fake.asked)) == (100, 100)
        run, told = labelled(tmp_path, one(fake, prompt={**WORDINGS, "orders": 1}))
        assert (told["asked"], len(fake.asked)) == (100, 200)
        assert (
            labelled(tmp_path, one(fake, prompt={**WORDINGS, "orders": 1}), "pseudo_label.calibrate=none")[1]["asked"]
            == 0
        )
    assert told["identity"] != first["identity"]
    known = {found.identity for found in labellers(run.engine)}
    assert {first["identity"], told["identity"], *(p["identity"] for p in told["labellers"][0]["prompts"])} == known


@pytest.mark.parametrize("how", ["fixed", "diverse", "nearest"])
def test_examples_come_from_golds_tune_half_alone_and_are_never_the_comment(tmp_path: Path, how: str) -> None:
    with serve(rightly) as fake:
        run, told = labelled(tmp_path, one(fake, prompt={"examples": {"from": "gold", "how": how, "per_label": 2}}))
        messages = [body["messages"][0]["content"] for body in fake.asked]
    gold = RunData(run).gold
    assert gold is not None
    shown = [re.findall(r"<comment>\n(.*)\n</comment>\nEmotion: (\w+)", message) for message in messages]
    label_of = {text: LABELS[label] for text, label in zip(gold.tune.texts, gold.tune.labels, strict=True)}
    assert all(label_of[text] == label for examples in shown for text, label in examples)  # no report half: a KeyError
    comments = [comment_in(body) for body in fake.asked]
    assert all(comment not in dict(examples) for comment, examples in zip(comments, shown, strict=True))
    tune = set(gold.tune.texts)
    assert {len(found) for comment, found in zip(comments, shown, strict=True) if comment not in tune} == {6}
    if how == "nearest":
        assert len({tuple(examples) for examples in shown}) > 10
    assert told["labelled"] == 60


def test_examples_of_the_original_data_hold_nothing_of_gold(tmp_path: Path) -> None:
    with serve(rightly) as fake:
        run, _ = labelled(tmp_path, one(fake, prompt={"examples": {"from": "original", "count": 5}}))
        message = fake.asked[0]["messages"][0]["content"]
    assert len(re.findall(r"<comment>\nother \d+\n</comment>\nEmotion: \w+", message)) == 5
    prompt = labellers(run.engine)[0].description["prompt"]
    assert "other " in prompt  # as the store tells it


def test_examples_from_gold_need_gold(tmp_path: Path) -> None:
    with serve(rightly) as fake, pytest.raises(UserError, match=r"examples\.from: gold, and the plan names none"):
        labelled(tmp_path, one(fake, prompt={"examples": {"from": "gold"}}), "gold=null")


def test_one_labeller_twice_is_refused(tmp_path: Path) -> None:
    with serve(rightly) as fake, pytest.raises(UserError, match=r"labellers\[1\]: asks the same as .*labellers\[0\]"):
        labelled(tmp_path, several(at(fake), at(fake, concurrency=1)))
