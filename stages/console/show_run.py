"""A run and its stages as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.console.show_evaluation import show_combinations, show_distilled
from stages.console.show_further import show_comparisons
from stages.console.show_infer import show_inference
from stages.console.show_labels import show_label_stage, show_labeller
from stages.console.show_studies import show_studies, show_winner
from stages.console.tables import console, ends, figure, table
from stages.results.label_result import LabelResult


def show_run(result: Mapping[str, Any]) -> None:
    """All stages, the table of all models, and where to look next."""
    out = console()
    made = table("stage", "state", "seconds")
    for stage in result["stages"]:
        made.add_row(stage["stage"], stage["state"], f"{stage['seconds']:.1f}")
    out.print(made)
    show_rows(result["results"])
    if result.get("labeller"):
        show_labeller(LabelResult.model_validate(result["labeller"]))
    if result.get("page"):
        out.print(f"page: {result['page']}")
    out.print(f"dashboard: moodline dashboard {result['plan']}")


def show_stage(result: Mapping[str, Any]) -> None:
    """What one stage came to, whichever it was."""
    if "studies" in result:
        show_studies(result["studies"])
    if result.get("winner"):
        show_winner(result["winner"])
    if "kappa" in result:
        show_label_stage(LabelResult.model_validate(result))
    if "members" in result:
        show_combinations(result)
    if "distilled" in result:
        show_distilled(result["distilled"])
    if "rows_per_second" in result:
        show_inference(result)
    if "page" in result:
        console().print("\n".join(f"{name}: {result[name]}" for name in ("page", "png", "csv")))
    if isinstance(result.get("rows"), list):
        show_rows(result["rows"])
    if "comparisons" in result:
        show_comparisons(result)


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """One table in which all models stand, split by split."""
    made = table("model", "split", "n", "accuracy", "95 % interval", "macro-F1", "95 % interval")
    for split in dict.fromkeys(row["split"] for row in rows):
        for row in (row for row in rows if row["split"] == split):
            of_accuracy = ends((row.get("intervals") or {}).get("accuracy"))
            of_f1 = "" if row.get("low") is None else ends(row)
            figures = (figure(row["accuracy"]), of_accuracy, figure(row["macro_f1"]), of_f1)
            made.add_row(row["model"], split, figure(row.get("n")), *figures)
        made.add_section()
    console().print(made)
    for note in sorted({row["note"] for row in rows if row.get("note")}):
        stages = sorted({row["stage"] for row in rows if row.get("note") == note})
        console().print(f"{', '.join(stages)}: {note}")
