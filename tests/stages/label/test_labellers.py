"""Labellers of a plan, through a server of the tests' own: prompts, examples, faults, prices, and several of them."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from stages.datasets.pseudo_labels import kept_sample, sampled
from stages.datasets.run_data import read_gold
from stages.label.run_label import run_label
from stages.results.label_result import LabelResult
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import labellers, labels_of
from tests.helpers.fake_server import Body, FakeServer, Fault, comment_in, completion, serve
from tests.helpers.labelling_project import LABELS, make_labelling, opened, truth_of
from transfer.errors import UserError
from transfer.labellers import openai_client

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _loopback_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(openai_client, "FIRST_WAIT", 0.01)


def number(body: Body) -> int:
    """Of the comment that is asked about."""
    return int(comment_in(body).split()[1])


def said(label: int, p: float = 0.7) -> Body:
    """An answer with its distribution: p for its label, the rest shared evenly."""
    others = [(LABELS[k], (1 - p) / 2) for k in range(3) if k != label]
    return completion(LABELS[label], [(LABELS[label], p), *others], tokens=100)


def rightly(body: Body, _: int = 0) -> Body:
    """Right in nine of ten."""
    return said((truth_of(comment_in(body)) + (number(body) % 10 == 0)) % 3)


def at(fake: FakeServer, **given: object) -> str:
    """The plan's labeller, set on the command line."""
    return json.dumps({"base_url": fake.url, "model": "small-lm", "retries": 1, **given})


def one(fake: FakeServer, **given: object) -> str:
    return f"pseudo_label.labeller={at(fake, **given)}"


def several(*labellers: str) -> str:
    return f"pseudo_label.labellers=[{', '.join(labellers)}]"


def labelled(folder: Path, *overrides: str) -> tuple[Run, dict[str, Any]]:
    plan = folder / "plan.yaml"
    if not plan.exists():
        folder.mkdir(exist_ok=True)
        make_labelling(folder, gold=40, comments=120)
        text = plan.read_text(encoding="utf-8").replace("labeller: {model: stub}, ", "")
        plan.write_text(text.replace("sample: 100", "sample: 60"), encoding="utf-8")
    run = opened(plan, *overrides)
    return run, run_label(run).as_json()


WORDINGS = {"instruction": "Which mood?", "paraphrases": ["What does the writer feel?"], "orders": 3}


def by_wording(body: Body, _: int = 0) -> Body:
    """The second wording is mistaken on every fourth comment, and surer there than the first."""
    truth = truth_of(comment_in(body))
    if "writer feel" in body["messages"][0]["content"] and number(body) % 4 == 0:
        return said((truth + 1) % 3, 0.9)
    return said(truth, 0.6)


def test_prompts_are_averaged_and_their_agreement_is_kept_and_told(tmp_path: Path) -> None:
    with serve(by_wording) as fake:
        run, told = labelled(tmp_path, one(fake, prompt=WORDINGS), "pseudo_label.calibrate=none")
        assert len(fake.asked) == 100 * 6
    rows = {row.key: row for row in labels_of(run.engine, told["identity"])}
    assert len(rows) == 100
    read = sampled(run, LabelResult.model_validate(told), read_gold(run))
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
    gold = read_gold(run)
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


def test_several_labellers_are_each_measured_compared_and_averaged(tmp_path: Path) -> None:
    def contrary(body: Body, _: int) -> Body:
        """Wrong on every third comment, and less sure."""
        return said((truth_of(comment_in(body)) + (number(body) % 3 == 0)) % 3, 0.5)

    with serve(rightly) as good, serve(contrary) as poor:
        plan = several(at(good), at(poor, model="poor-lm"))
        run, told = labelled(tmp_path, plan, "pseudo_label.calibrate=none")
        assert (len(good.asked), len(poor.asked)) == (100, 100)
        assert labelled(tmp_path, plan)[1]["asked"] == 0
        alone = labelled(tmp_path, one(good))[1]
        assert alone["asked"] == 0  # it is in the store under its own identity
    first, second = told["labellers"]
    assert (first["labeller"], second["labeller"]) == ("small-lm", "poor-lm")
    assert alone["identity"] == first["identity"]
    assert first["kappa"]["value"] > second["kappa"]["value"]
    assert told["kappa"]["value"] == first["kappa"]["value"]  # the surer one decides
    (pair,) = told["between"]["pairs"]
    numbers = [int(text.split()[1]) for text in _texts(run)]
    assert pair["n"] == 100
    assert pair["same"] == pytest.approx(sum((n % 10 == 0) == (n % 3 == 0) for n in numbers) / 100)
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"]
    assert told["between"]["alpha"] == pytest.approx(pair["kappa"]["value"], abs=0.05)
    rows = list(labels_of(run.engine, told["identity"]))
    assert Counter(row.agreement for row in rows) == {
        1.0: round(pair["same"] * 100),
        0.5: 100 - round(pair["same"] * 100),
    }


def _texts(run: Run) -> list[str]:
    gold = read_gold(run)
    assert gold is not None
    return [*gold.tune.texts, *gold.report.texts, *(text for _, text in kept_sample(run, gold))]


def test_a_labeller_of_unknown_confidence_makes_the_whole_unknown_and_votes(tmp_path: Path) -> None:
    def bare(body: Body, _: int) -> Body:
        return completion(LABELS[truth_of(comment_in(body))])

    with serve(rightly) as sure, serve(bare) as one_bare:
        run, told = labelled(tmp_path, several(at(sure), at(one_bare, model="bare"), at(one_bare, model="bare too")))
    assert told["unknown_confidence"] == told["gold_n"]
    assert (told["reliability"], told["calibration"], told["kappa"]["value"]) == (None, None, 1)
    assert all(row.probabilities is None for row in labels_of(run.engine, told["identity"]))


def test_one_labeller_twice_is_refused(tmp_path: Path) -> None:
    with serve(rightly) as fake, pytest.raises(UserError, match=r"labellers\[1\]: asks the same as .*labellers\[0\]"):
        labelled(tmp_path, several(at(fake), at(fake, concurrency=1)))


def test_a_server_that_dies_loses_nothing_and_is_asked_no_comment_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    is_ill = True

    def dies(body: Body, before: int) -> Body | Fault:
        return Fault(503, "shutting down") if is_ill and before >= 70 else rightly(body)

    with serve(dies) as fake:
        plan = one(fake, prompt={**WORDINGS, "orders": 1})
        with pytest.raises(UserError, match="HTTP 503: shutting down"):
            labelled(tmp_path, plan)
        is_ill, before = False, len(fake.asked)
        run, told = labelled(tmp_path, plan)
        answered = [(body["messages"][0]["content"]) for body in [*fake.asked[:70], *fake.asked[before:]]]
        assert fake.keys == {"Bearer sk-secret-123"}
    assert Counter(answered).most_common(1)[0][1] == 1
    assert len(answered) == 200
    assert (told["asked"], told["labelled"], told["missing"]) == (130, 60, 0)
    run.engine.dispose()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"sk-secret" in path.read_bytes()]


def test_a_labelling_that_is_killed_asks_for_the_rest_and_ends_like_one_that_was_not(tmp_path: Path) -> None:
    killed: list[subprocess.Popen[bytes]] = []

    def kills(body: Body, before: int) -> Body:
        if before == 60:
            killed[0].kill()
        return rightly(body)

    with serve(kills) as fake:
        make_labelling(tmp_path, gold=40, comments=120)
        again = [str(tmp_path / "plan.yaml"), *("--set", one(fake, concurrency=1), "--set", "pseudo_label.sample=60")]
        killed.append(
            subprocess.Popen([sys.executable, "-m", "cli", "label", *again], cwd=ROOT, stderr=subprocess.DEVNULL)
        )
        assert killed[0].wait() == -signal.SIGKILL
        done = CliRunner().invoke(app, ["label", *again, "--json"])
        asked = Counter(map(comment_in, fake.asked))
    told = json.loads(done.stdout)
    assert (told["labelled"], told["missing"], len(asked)) == (60, 0, 100)
    assert told["asked"] < 50
    assert sum(asked.values()) <= 100 + 5  # under way when it was killed, or on the way to the store
    with serve(rightly) as fake:
        _, whole = labelled(tmp_path / "whole", one(fake))
    figures = ("accuracy", "macro_f1", "kappa", "confusion", "calibration", "shares")
    assert {name: told[name] for name in figures} == {name: whole[name] for name in figures}


def test_what_is_missing_is_counted_to_the_row(tmp_path: Path) -> None:
    hopeless: Callable[[Body], bool] = lambda body: number(body) % 7 == 0  # noqa: E731

    def babbles(body: Body, before: int) -> Body | Fault:
        if before % 5 == 0:
            return Fault(429, "slow down", {"Retry-After": "0"})
        return completion("anger or joy") if hopeless(body) else rightly(body)

    with serve(babbles) as fake:
        run, told = labelled(tmp_path, one(fake, retries=10))
    none = [row for row in labels_of(run.engine, told["identity"]) if row.label is None]
    numbers = {number(body) for body in fake.asked if hopeless(body)}
    assert len(none) == len(numbers) > 5
    assert {row.raw for row in none} == {"anger or joy\nanger or joy"}
    in_gold = sum(n < 40 for n in numbers)
    assert (told["labelled"], told["missing"]) == (60 - len(numbers) + in_gold, len(numbers) - in_gold)


def test_tokens_and_money_are_told_before_and_after_and_kept_with_each_label(tmp_path: Path) -> None:
    prices = {"input": 10.0, "output": 1000.0, "currency": "EUR"}
    with serve(rightly) as fake:
        run, told = labelled(tmp_path, one(fake, prices=prices))
        again = labelled(tmp_path, one(fake), "pseudo_label.calibrate=none")[1]
    each = (99 * 10 + 1 * 1000) / 1e6
    (usage,), (guess,) = told["usage"], told["estimate"]
    assert (usage["answers"], usage["tokens"], usage["written"], usage["uncounted"]) == (100, 10_000, 100, 0)
    assert usage["money"] == pytest.approx(100 * each)
    assert usage["currency"] == "EUR"
    assert guess["questions"] == 100
    assert guess["money"] == pytest.approx(((guess["tokens"] - guess["written"]) * 10 + guess["written"] * 1000) / 1e6)
    rows = list(labels_of(run.engine, told["identity"]))
    assert {(round(row.cost or 0, 9), row.currency, row.written) for row in rows} == {(round(each, 9), "EUR", 1)}
    assert usage["seconds"] > 0
    assert sum(row.seconds or 0 for row in rows) == pytest.approx(usage["seconds"])
    assert (again["usage"][0]["money"], again["estimate"][0]["questions"]) == (usage["money"], 0)


def test_check_tells_what_it_would_cost_and_asks_nothing(tmp_path: Path) -> None:
    prices = {"input": 10.0, "output": 1000.0, "currency": "EUR"}
    with serve(rightly) as fake:
        how = one(fake, prices=prices, prompt=WORDINGS)
        make_labelling(tmp_path, gold=40, comments=120)
        done = CliRunner().invoke(app, ["check", str(tmp_path / "plan.yaml"), "--set", how, "--json"])
        assert fake.asked == []
        (before,) = labelled(tmp_path, how, "pseudo_label.sample=60")[1]["estimate"]
    (guess,) = json.loads(done.stdout)["labelling"]
    assert guess["questions"] == (100 + 40) * 6  # the plan's own sample, and gold
    assert guess["money"] / 140 == pytest.approx(before["money"] / 100, rel=0.02)


def test_a_server_that_does_not_count_is_said_so(tmp_path: Path) -> None:
    def uncounted(body: Body, _: int) -> Body:
        return {**rightly(body), "usage": None}

    with serve(uncounted) as fake:
        run, told = labelled(tmp_path, one(fake, prices={"input": 1, "output": 1}))
    assert (told["usage"][0]["uncounted"], told["usage"][0]["money"]) == (100, None)
    assert {row.cost for row in labels_of(run.engine, told["identity"])} == {None}


def test_the_command_says_what_it_will_cost_and_how_labellers_agree(tmp_path: Path) -> None:
    with serve(rightly) as fake, serve(by_wording) as other:
        labelled(tmp_path, one(fake))
        priced = at(other, model="two-ways", prompt={**WORDINGS, "orders": 1}, prices={"input": 1, "output": 1})
        options = [str(tmp_path / "plan.yaml"), "--set", several(at(fake), priced)]
        done = CliRunner().invoke(app, ["label", *options])
    assert done.exit_code == 0, done.output
    assert re.search(r"two-ways: 200 questions, about [\d,]+ tokens, about 0\.\d\d USD", done.stderr)
    shown = " ".join(done.stdout.split())
    assert re.search(r"small-lm and two-ways: kappa 0\.\d\d \(.*% alike on 100 comments", shown)
    assert "all labellers: Krippendorff's alpha" in shown
    assert re.search(r"prompts agree: [\d.]+% on average", shown)
    assert re.search(r"two-ways: 200 answers in all, 20,000 tokens, 0\.02 USD", shown)
