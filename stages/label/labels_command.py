"""What `moodline labels` does: the store's labellers listed, and their labels imported and exported."""

from pathlib import Path

from stages.label.label_export import export_labels
from stages.label.label_import import import_labels
from stages.results.labels_result import LabelsResult, StoredLabeller
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import count_labels, labellers


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
