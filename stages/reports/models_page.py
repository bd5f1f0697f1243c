"""The page of all models: their table and pictures in one HTML file that needs no network."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from stages.monitor.report.messages import language_of
from stages.monitor.report.model_figures import FOLDER, Picture, pictures_html, results_table
from stages.reports.report_figures import (
    LabelledTexts,
    data_pictures,
    learning_curves,
    score_pictures,
    write_pictures,
)
from stages.results.ensemble_result import EnsembleResult
from stages.results.study_results import ModelScores
from stages.runtime.run_context import Run
from storage.files.atomic_write import write_whole

PAGE = "models.html"
DRAWN_OF = "of.json"  # in the pictures' folder: which result they show


def draw_models_page(run: Run, result: EnsembleResult, splits: Mapping[str, LabelledTexts]) -> str:
    """Pictures of an ensemble's result and of its data, and their page, unless they are there; the page's path.

    splits: by name; the words of the last one are drawn.
    """
    folder, page = run.results / FOLDER, run.results / PAGE
    drawn = json.dumps({"fingerprint": result.fingerprint, "moodline": version("moodline")})
    note = folder / DRAWN_OF
    if page.is_file() and note.is_file() and note.read_text(encoding="utf-8") == drawn:
        return str(page)
    pictures = [*_final_pictures(run, result), *data_pictures(run, splits, list(splits)[-1])]
    write_pictures(pictures, folder)
    write_models_page(run, result.rows, pictures, page)
    write_whole(note, drawn.encode())
    return str(page)


def _final_pictures(run: Run, result: EnsembleResult) -> list[Picture]:
    split = next((name for name in ("test", "gold report", "validation") if name in result.judged), None)
    title = result.chosen if result.final.kind == "ensemble" else result.best_single
    scores = score_pictures(result.judged[split], f"{title} on {split}") if split else []
    return [*scores, *learning_curves(run, list(dict.fromkeys([result.best_single, *result.members])))]


def write_models_page(run: Run, rows: Sequence[ModelScores], pictures: Sequence[Picture], path: Path) -> None:
    """Fills in the template models_page.html."""
    loader = PackageLoader("stages.reports", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    page = environment.get_template("models_page.html").render(
        language=language_of(run.plan.labels),
        title=run.plan.name,
        results=results_table([row.as_json() for row in rows]),
        pictures=pictures_html(pictures),
    )
    write_whole(path, page.encode("utf-8"))
