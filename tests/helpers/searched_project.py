"""A small project whose stage one is done and whose comments are labelled, in one process."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stages.label import labeller_ensemble
from stages.label.run_label import run_label
from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run
from stages.search.run_search import run_search
from tests.helpers.formula_search import dead_worker
from tests.helpers.labelling_project import StubLabeller
from tests.helpers.small_project import write_csv
from tests.helpers.tiny_encoders import LABELS, MOODS, easy_texts, save_encoder

PLAN = """\
name: small
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}], validation: 0.25, test: null}
comments: [{path: comments.csv, id: id}]
gold: {path: gold.csv, id: id, random_sample: true}
candidates: [models/bert]
search:
  trials: 2
  space: {learning_rate: 5e-3, epochs: 3, batch_size: 16, max_length: 24, dropout: 0, frozen_layers: 0,
          layer_decay: 1.0, weight_decay: 0, warmup_share: 0, label_smoothing: 0, class_weighting: none}
pseudo_label: {labeller: {model: stub}, sample: 100, calibrate: none}
further: {trials: 2, keep: 1, space: {learning_rate: 3e-3, label_softness: 1.0}}
"""
# What people of the comments call their moods: stage one has never read it.
SLANG = {"hate": "grr", "angry": "argh", "furious": "ugh", "happy": "yay", "love": "wow", "fun": "lol"}
SLANG |= {"sad": "sob", "cry": "sigh", "tears": "meh"}


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


def in_slang(text: str) -> str:
    return " ".join(SLANG.get(word, word) for word in text.split())


def says(text: str) -> tuple[float, ...]:
    """A labeller that is right in nine of ten texts and knows how sure it is."""
    moods = [{SLANG[word] for word in mood} for mood in MOODS]
    truth = next((k for k, mood in enumerate(moods) if mood & set(text.split())), 0)
    if sum(text.encode()) % 10 == 0:
        return tuple(0.45 if k == (truth + 1) % 3 else 0.3 if k == truth else 0.25 for k in range(3))
    return tuple(0.9 if k == truth else 0.05 for k in range(3))


def labeller() -> StubLabeller:
    return StubLabeller(says)


def make_searched(folder: Path, monkeypatch: Any) -> Path:
    """Writes data and plan, does stage one and the labelling; returns the plan's file."""
    folder.mkdir(parents=True, exist_ok=True)
    texts, truth = easy_texts(160, seed=1)
    write_csv(folder / "original.csv", ["text", "label"], zip(texts, [LABELS[i] for i in truth], strict=True))
    texts, truth = easy_texts(220, seed=2)
    texts = [f"{in_slang(text)} no{i}" for i, text in enumerate(texts)]
    write_csv(folder / "comments.csv", ["id", "text"], [(f"c{i}", text) for i, text in enumerate(texts)])
    gold = [(f"c{i}", texts[i], LABELS[truth[i]]) for i in range(100)]
    write_csv(folder / "gold.csv", ["id", "text", "label"], gold)
    save_encoder("bert", folder / "models" / "bert", with_lm_head=True)
    plan = folder / "plan.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller())
    run = open_run(read_plan(plan))
    run_search(run)
    run_label(run)
    return plan


def opened(plan: Path, *overrides: str) -> Run:
    return open_run(read_plan(plan, overrides))


def dying(plan: Path, *overrides: str) -> Run:
    """The same, by a worker that counts as gone: what it leaves unfinished may be taken over."""
    return replace(opened(plan, *overrides), worker=dead_worker())


def without_gold(plan: Path) -> Path:
    lines = plan.read_text(encoding="utf-8").splitlines()
    plan.write_text("\n".join(line for line in lines if not line.startswith("gold")), encoding="utf-8")
    return plan


def files_of(run: Run, prefix: str) -> dict[str, bytes]:
    """What lies under a prefix in files."""
    return {
        f"{name}/{path.name}": path.read_bytes()
        for name in run.files.names(prefix)
        for path in sorted(run.files.fetch(name).rglob("*"))
        if path.is_file()
    }


def predictions(run: Run, study: str) -> list[tuple[Any, ...]]:
    """Number, state, value and parameters of a study's trials."""
    import optuna

    from stages.runtime.run_context import store_url
    from studies.optuna_storage import open_optuna

    found = optuna.load_study(study_name=study, storage=open_optuna(store_url(run.plan)))
    return [(t.number, t.state.name, t.value, sorted(t.params.items())) for t in found.get_trials(deepcopy=False)]


def is_near(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, atol=1e-9))
