"""Labellers of a plan behind a server of the tests' own, which answers by a rule."""

import json
from pathlib import Path
from typing import Any

from stages.label.run_label import run_label
from stages.runtime.run_context import Run
from tests.helpers.fake_server import Body, FakeServer, comment_in, completion
from tests.helpers.labelling_project import LABELS, make_labelling, opened, truth_of


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
