"""A labelling loop that a fault or a kill ends asks for the rest, and for nothing twice."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from storage.records.pseudo_labels import labels_of
from tests.helpers.fake_server import Body, Fault, comment_in, completion, serve
from tests.helpers.killing import Kill, run_with_kills
from tests.helpers.labelling_project import make_labelling
from tests.helpers.served_labellers import WORDINGS, at, labelled, number, one, rightly
from transfer.errors import UserError


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
    with serve(rightly) as fake:
        plan = make_labelling(tmp_path, gold=40, comments=120)
        text = plan.read_text(encoding="utf-8").replace("{model: stub}", at(fake, concurrency=1))
        plan.write_text(text.replace("sample: 100", "sample: 60"), encoding="utf-8")
        kill = Kill("storage.records.pseudo_labels.add_labels", 60)
        assert run_with_kills(tmp_path, "label", [kill], end=False) == ["killed"]
        done = CliRunner().invoke(app, ["label", str(plan), "--json"])
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
