"""A study's note in optuna-dashboard: its best trials against the baseline, and how to load them."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from studies.dashboard.study_plots import FEW_TRIALS
from studies.ranking import ranked
from studies.study_config import StudyConfig

SHOWN = 5
# the dashboard's: its keys, and the longest text that one of them holds
PART = 2045
VERSION, BODY = "dashboard:note_ver", "dashboard:note_str:"
# What stands below is the user's; a note without this line was taken over by them, and is left alone.
END = "*Written by moodline up to this line. What you write below it stays.*"


def study_note(
    study: optuna.Study,
    search: StudyConfig,
    ended: Sequence[FrozenTrial],
    places: Mapping[int | None, tuple[str, str]],
    plan: Path,
) -> str:
    """Markdown. places: name and location of the kept models, by trial."""
    complete = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    best = ranked(study, complete)[:SHOWN]
    if not best:
        return "No trial is complete yet."
    metric = (study.metric_names or ["value"])[0]
    pruned = len(ended) - len(complete)
    lines = [f"## Best of {len(complete)} complete and {pruned} pruned trials ({search.trials} wanted)", ""]
    lines += _table(best, metric, places)
    lines += ["", *_against_baseline(best[0], complete, metric)]
    if len(complete) < FEW_TRIALS:
        lines.append(f"Parameters' importance is plotted from {FEW_TRIALS} complete trials on.")
    found = next((places[trial.number] for trial in best if trial.number in places), None)
    return "\n".join([*lines, *(_loading(*found, search, plan) if found else [])])


def _table(best: Sequence[FrozenTrial], metric: str, places: Mapping[int | None, tuple[str, str]]) -> list[str]:
    names = sorted({name for trial in best for name in trial.params})
    rows = [
        [
            str(trial.number),
            f"{trial.value:.4f}",
            *(_written(trial.params.get(name)) for name in names),
            f"`{places[trial.number][0]}`" if trial.number in places else "not kept",
        ]
        for trial in best
    ]
    head = ["trial", metric, *names, "model"]
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _against_baseline(best: FrozenTrial, complete: Sequence[FrozenTrial], metric: str) -> list[str]:
    baseline = next((trial for trial in complete if trial.user_attrs.get("baseline")), None)
    if baseline is None or baseline.value is None or best.value is None:
        return []
    compared = f"The untuned baseline (trial {baseline.number}) has {metric} {baseline.value:.4f}"
    if baseline.number == best.number:
        return [f"{compared}: no trial was better yet."]
    return [
        f"{compared}; the best trial has {best.value:.4f}, {best.value - baseline.value:+.4f}. The best of many noisy "
        "trials flatters itself: new data will show less."
    ]


def _loading(name: str, location: str, search: StudyConfig, plan: Path) -> list[str]:
    stage, file = search.attributes.get("stage", "search"), shlex.quote(str(plan))
    return [
        "",
        f"## Load `{name}`",
        "",
        "```python",
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
        "",
        f"path = {location!r}",
        "model = AutoModelForSequenceClassification.from_pretrained(path)",
        "tokenizer = AutoTokenizer.from_pretrained(path)",
        "```",
        "",
        "In their folder, `moodline.json` has configuration, metrics, versions, seed and the data's fingerprint.",
        "For the stage's winner:",
        "",
        "```",
        f'moodline predict {file} --stage {stage} "a text"',
        f"moodline export {file} my-model --stage {stage}",
        "```",
    ]


def write_note(study: optuna.Study, text: str) -> None:
    """Puts the text into the study's note; what people wrote below it stays, and a note that is all theirs does too."""
    storage, number = study._storage, study._study_id
    known: Mapping[str, Any] = storage.get_study_system_attrs(number)
    before = read_note(known)
    _, mark, theirs = before.partition(END)
    body = f"{text}\n\n{END}{theirs}"
    if (before and not mark) or body == before:
        return
    write_parts(study, BODY, body)
    storage.set_study_system_attr(number, VERSION, int(known.get(VERSION, 0)) + 1)


def write_parts(study: optuna.Study, prefix: str, text: str) -> None:
    """A long text as the dashboard reads it: numbered parts; those that a longer one had left are emptied."""
    storage, number = study._storage, study._study_id
    known = storage.get_study_system_attrs(number)
    parts = [text[at : at + PART] for at in range(0, len(text), PART)]
    for i, part in enumerate(parts):
        if known.get(f"{prefix}{i}") != part:
            storage.set_study_system_attr(number, f"{prefix}{i}", part)
    for i in range(len(parts), sum(key.startswith(prefix) for key in known)):
        storage.set_study_system_attr(number, f"{prefix}{i}", "")


def read_note(attributes: Mapping[str, Any]) -> str:
    """The study's note, from its system attributes."""
    parts = sum(key.startswith(BODY) for key in attributes)
    return "".join(attributes[f"{BODY}{i}"] for i in range(parts))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |"


def _written(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)
