"""Pseudo-labels written to a file, to look at or to pass on to another store."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stages.datasets.original_and_gold import read_gold_rows
from stages.label.label_import import import_labels
from stages.results.labels_command_result import ExportedLabels, LabelsResult, StoredLabeller
from stages.runtime.run_context import SAMPLES, Run
from storage.records.pseudo_labels import MEASURED, LabelRow, count_labels, labellers, labels_of
from transfer.errors import UserError
from transfer.tables.label_sheets import check_format, write_sheet


def labels_command(run: Run, source: Path | None, target: Path | None, encoding: str | None) -> LabelsResult:
    """Imports `source` and exports to `target`, in this order, where they are given; and lists the labellers."""
    imported = None if source is None else import_labels(run, source, encoding)
    exported = None if target is None else export_labels(run, target)
    return LabelsResult(imported=imported, exported=exported, labellers=list_labellers(run))


def list_labellers(run: Run) -> list[StoredLabeller]:
    """All labellers of the store, the oldest first."""
    return [
        StoredLabeller(
            identity=known.identity,
            kind=known.description.get("kind"),
            model=known.description.get("model"),
            answers=count_labels(run.engine, known.identity),
            fits=known.description.get("labels") == run.plan.labels,
            since=known.created_at.isoformat(),
        )
        for known in labellers(run.engine)
    ]


def export_labels(run: Run, path: Path) -> ExportedLabels:
    """Writes every answer by a labeller with the plan's labels.

    Columns: key, text where it is known, labeller (identity), label, p_LABEL for each label, raw, tokens, created_at,
    agreement, seconds, written, cost and currency (see storage.records.pseudo_labels.LabelRow), and the labeller's
    description as JSON. Raises UserError where there is no answer.
    """
    check_format(path, "--export")
    known = [found for found in labellers(run.engine) if found.description.get("labels") == run.plan.labels]
    rows = [row for found in known for row in labels_of(run.engine, found.identity)]
    if not rows:
        raise UserError(
            "no labels to export: no labeller has answered with the plan's labels",
            f"label some comments first: moodline label {run.plan.file.name}",
        )
    descriptions = {found.identity: json.dumps(found.description, ensure_ascii=False) for found in known}
    write_sheet(path, _columns(run, rows, descriptions), "--export")
    return ExportedLabels(file=str(path), rows=len(rows), labellers=sorted({row.labeller for row in rows}))


def _columns(run: Run, rows: Sequence[LabelRow], descriptions: Mapping[str, str]) -> dict[str, list[Any]]:
    texts, labels = _texts(run), run.plan.labels
    return {
        "key": [row.key for row in rows],
        "text": [texts.get(row.key) for row in rows],
        "labeller": [row.labeller for row in rows],
        "label": [None if row.label is None else labels[row.label] for row in rows],
        **{
            f"p_{label}": [None if row.probabilities is None else float(row.probabilities[k]) for row in rows]
            for k, label in enumerate(labels)
        },
        **{name: [getattr(row, name) for row in rows] for name in ("raw", "tokens", "created_at", *MEASURED)},
        "description": [descriptions[row.labeller] for row in rows],
    }


def _texts(run: Run) -> dict[str, str]:
    """Text by key, of the comments that were sampled and of gold; the store itself keeps none."""
    found: dict[str, str] = {}
    for name in run.files.names(SAMPLES):
        table = pq.read_table(run.files.fetch(name))
        found |= dict(zip(table.column("key").to_pylist(), table.column("text").to_pylist(), strict=True))
    gold = read_gold_rows(run.plan)
    return found | (dict(zip(gold.keys, gold.texts, strict=True)) if gold else {})
