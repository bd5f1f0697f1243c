"""What the student is trained on: sampled once, and never a text that people labelled, however late."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stages.distil.distil_study import texts_to_label
from stages.runtime.run_context import Run
from tests.helpers.small_project import write_csv
from transfer.text.cleaning import key_hash

WORDS = ("rain", "tram", "soup", "bridge", "letter")


def people(*texts: str) -> Any:
    return SimpleNamespace(keys=[key_hash(text) for text in texts], texts=list(texts))


def splits(gold: Any = None) -> Any:
    return SimpleNamespace(original=SimpleNamespace(validation=people(), test=None), gold=gold)


def texts_of(run: Run, data: Any) -> tuple[str | None, list[str]]:
    assert run.plan.distil is not None
    return texts_to_label(run, run.plan.distil, data)


def test_without_comments_it_trains_on_the_training_texts(a_run: Callable[..., Run]) -> None:
    run = a_run("distil={encoder: models/bert, sample: 20}", "comments=[]", "pseudo_label=null")
    train = people("a rainy day", "a tram")
    data: Any = SimpleNamespace(original=SimpleNamespace(train=train, validation=people(), test=None), gold=None)
    assert texts_of(run, data) == (None, train.texts)


def test_gold_that_is_labelled_later_is_not_trained_on_nor_what_is_nearly_alike(
    a_run: Callable[..., Run], tmp_path: Path
) -> None:
    texts = [f"{first} and {second} again" for first in WORDS for second in WORDS]
    rows = [(i, text, "2024-03-01", "me") for i, text in enumerate(texts)]
    write_csv(tmp_path / "comments.csv", ["id", "text", "time", "author"], rows)
    run = a_run("distil={encoder: models/bert, sample: 20}")
    name, sample = texts_of(run, splits())
    assert len(sample) == 20
    assert texts_of(run, splits()) == (name, sample)
    gold = SimpleNamespace(tune=people(sample[3]), report=people(f"{sample[7].upper()}!!!"))
    after, left = texts_of(run, splits(gold))
    assert left == [text for text in sample if text not in {sample[3], sample[7]}]
    assert after != name
