"""The final predictor for others: folders that transformers loads, with a model card; an ensemble as its members."""

import json
import shutil
from pathlib import Path
from typing import Any

from stages.ensemble import final_predictor
from stages.models import Predictor
from stages.overview import table_rows
from stages.workspace import Run
from storage import ledger
from storage.registry import ModelRecord
from transfer.problem import Problem

COMBINATION = "ensemble.json"


def run_export(run: Run, folder: Path, stage: str | None = None) -> dict[str, Any]:
    """Writes the final predictor, or one stage's, to a folder that is new or empty.

    One model: the folder itself loads with AutoModelForSequenceClassification. An ensemble: a folder for each member,
    and ensemble.json, which says how their probabilities are combined. Raises Problem where the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(f"{folder}: is there already, and not empty", "name a new folder, or empty this one")
    predictor = final_predictor(run, stage)
    beside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    if len(predictor.records) == 1:
        _copy(run, predictor.records[0], beside)
    else:
        names = [f"member-{i + 1}" for i in range(len(predictor.records))]
        for name, record in zip(names, predictor.records, strict=True):
            _copy(run, record, beside / name)
        told = {"members": names, "combine": predictor.how, "labels": run.plan.labels}
        (beside / COMBINATION).write_text(json.dumps(told, ensure_ascii=False, indent=2), encoding="utf-8")
    (beside / "README.md").write_text(model_card(run, predictor), encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    beside.rename(folder)
    return {"folder": str(folder), "predictor": predictor.name, "members": predictor.members}


def model_card(run: Run, predictor: Predictor) -> str:
    """Markdown with the hub's front matter: what it is, how it loads, what it learnt from, its scores and limits."""
    plan = run.plan
    labelled = ledger.read(run.engine, plan.name, "pseudo_label")
    told: dict[str, Any] = {"labeller": {}, "simulation": False} | ((labelled and labelled.result) or {})
    labeller = told["labeller"]
    warning = "\n> **Simulation.** The labeller was a stand-in for an LLM; the figures below are a simulation's.\n"
    return "\n".join(
        [
            "---",
            "library_name: transformers",
            "pipeline_tag: text-classification",
            f"base_model: {predictor.records[0].candidate}",
            "tags: [emotion, moodline]",
            "---",
            f"# {plan.name}: {predictor.name}",
            warning if told["simulation"] else "",
            f"Labels: {', '.join(plan.labels)}. Made with moodline by two-stage transfer learning.",
            "",
            "## Use",
            "",
            *_usage(predictor),
            "",
            "## Training",
            "",
            *[f"- {line}" for record in predictor.records for line in _training(record)],
            f"- pseudo-labels: {labeller.get('model')}" if labeller else "- pseudo-labels: none",
            "",
            "## Scores",
            "",
            "| model | split | n | accuracy | macro-F1 | 95 % interval |",
            "|---|---|---|---|---|---|",
            *[_score_line(row) for row in table_rows(run)],
            "",
            "## Limits",
            "",
            "It tells which emotion a text expresses, for shares over many texts. It says nothing of any one person, ",
            "diagnoses nobody, and is no tool against individuals. On text unlike the comments that it was tuned on, ",
            "expect less than the scores above.",
            "",
        ]
    )


def _usage(predictor: Predictor) -> list[str]:
    if len(predictor.records) > 1:
        return [f"Each `member-*` loads as below; `{COMBINATION}` says how their probabilities are combined."]
    length = int(predictor.records[0].recipe["max_length"])
    return [
        "```python",
        "from transformers import pipeline",
        "",
        f'classify = pipeline("text-classification", "FOLDER", top_k=None, truncation=True, max_length={length})',
        'print(classify("..."))',
        "```",
        "Texts are cleaned first: NFC, URLs as `http`, mentions as `@user`, repeated letters cut to three.",
    ]


def _training(record: ModelRecord) -> list[str]:
    recipe = ", ".join(f"{name} {value}" for name, value in record.recipe.items())
    return [
        f"{record.name}: from {record.candidate}, {recipe}",
        f"{record.name}: fingerprint {record.lineage.get('fingerprint')}, seed {record.lineage.get('seed')}",
    ]


def _score_line(r: dict[str, Any]) -> str:
    interval = f"{r['low']:.3f} to {r['high']:.3f}" if r.get("low") is not None else ""
    return (
        f"| {r['model']} | {r['split']} | {r.get('n', '')} | {r['accuracy']:.3f} | {r['macro_f1']:.3f} | {interval} |"
    )


def _copy(run: Run, record: ModelRecord, folder: Path) -> None:
    shutil.copytree(
        run.files.fetch(record.path), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("probabilities")
    )
