"""What a server costs: estimated before it is queried, counted afterwards, and shown."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from storage.records.pseudo_labels import labels_of
from tests.helpers.fake_server import Body, serve
from tests.helpers.labelling_project import make_labelling
from tests.helpers.served_labellers import WORDINGS, at, by_wording, labelled, one, rightly, several


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
