"""What `moodline labels` gives: the labellers of a store, and what was imported and exported."""

from pydantic import Field

from stages.results.stage_result import Record


class StoredLabeller(Record):
    """answers: comments that it has answered. fits: its labels are the plan's. since: ISO 8601, of its first use."""

    identity: str
    kind: str | None
    model: str | None
    answers: int
    fits: bool
    since: str


class ImportedLabels(Record):
    """rows: of the file. added: comments that their labeller had not answered yet. labellers: identities."""

    file: str
    rows: int
    added: int
    labellers: list[str]


class ExportedLabels(Record):
    """rows: answers. labellers: identities."""

    file: str
    rows: int
    labellers: list[str]


class LabelsResult(Record):
    """imported, exported: where that was asked for."""

    imported: ImportedLabels | None = Field(default=None, exclude_if=lambda found: found is None)
    exported: ExportedLabels | None = Field(default=None, exclude_if=lambda found: found is None)
    labellers: list[StoredLabeller]
