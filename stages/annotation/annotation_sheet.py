"""A sheet on which a person labels comments: written with an empty column, and read back filled in."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from transfer.corpus.stratified_sampling import SampledComment
from transfer.errors import UserError, UserErrors
from transfer.tables.label_sheets import check_format, read_sheet, write_sheet

SHOWN = 10  # faulty rows that a message names


def export_sheet(
    path: Path, rows: Sequence[SampledComment], own: Mapping[str, str | None], labels: Sequence[str]
) -> None:
    """Each text once, with an empty column for its label; what this annotator has labelled is filled in.

    own: the annotator's labels by key.
    """
    check_format(path, "--export")
    texts = {row.key: row.text for row in reversed(rows)}
    keys = list(dict.fromkeys(row.key for row in rows))
    columns: dict[str, list[str | None]] = {
        "key": [*keys],
        "text": [texts[key] for key in keys],
        "label": [own.get(key) for key in keys],
        "labels to choose from": [", ".join(labels), *[None] * (len(keys) - 1)],
    }
    write_sheet(path, columns, "--export")


def import_sheet(
    path: Path, encoding: str | None, sampled: Collection[str], labels: Sequence[str]
) -> dict[str, str | None]:
    """Label by key, of a filled sheet; a row without a label is left out. sampled: keys that may stand in it.

    All rows are looked at before one is taken. Raises UserErrors for what does not fit.
    """
    header, rows = read_sheet(path, encoding, "--import")
    missing = [name for name in ("key", "label") if name not in header]
    if missing:
        raise UserError(f"{path.name}: no column {', '.join(missing)}", f"its columns: {', '.join(header)}")
    problems, found = list[str](), dict[str, str | None]()
    for number, row in enumerate(rows, 2):  # as a spreadsheet counts, the header is row 1
        label, key = (row["label"] or "").strip(), (row["key"] or "").strip()
        if label and label not in labels:
            problems.append(f"row {number}: no label {label!r} in the plan; its labels: {', '.join(labels)}")
        elif label and key not in sampled:
            problems.append(
                f"row {number}: no comment with the key {key!r} in the sample; keep the key column as it is"
            )
        elif label:
            found[key] = label
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise UserErrors(f"{path.name}: {len(problems)} faulty rows; nothing was taken", [*problems[:SHOWN], *more])
    if not found:
        raise UserError(f"{path.name}: its column label is empty", f"fill in one of: {', '.join(labels)}")
    return found
