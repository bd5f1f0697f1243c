"""The page of all models: their table and pictures in one HTML file that needs no network."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from stages.monitor.report.messages import language_of
from stages.monitor.report.model_figures import FOLDER, Picture, pictures_html, results_table
from stages.results.ensemble_result import EnsembleResult
from stages.results.evaluation_result import EvaluationReport
from stages.results.study_results import ModelScores
from stages.runtime.run_context import Run
from storage.files.atomic_write import write_whole
from storage.records import model_registry
from studies.figures.evaluation_figures import (
    courses_png,
    figures_png,
    labels_png,
    matrix_png,
    reliability_png,
    words_png,
)
from transfer.metrics.scores import Ints
from transfer.text.log_odds_words import distinctive_words

PAGE = "models.html"
DRAWN_OF = "of.json"  # in the pictures' folder: which result they show


class LabelledTexts(NamedTuple):
    """texts: (N,). labels: (N,) int64, in [0, K)."""

    texts: Sequence[str]
    labels: Ints


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
    loader = PackageLoader("stages.reports", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    page = environment.get_template("models_page.html").render(
        language=language_of(run.plan.labels),
        title=run.plan.name,
        results=results_table([row.as_json() for row in rows]),
        pictures=pictures_html(pictures),
    )
    write_whole(path, page.encode("utf-8"))


def score_pictures(report: EvaluationReport, title: str) -> list[Picture]:
    found = report.model_dump()
    return [
        Picture("confusion", matrix_png(report.confusion, report.labels, title)),
        Picture("reliability", reliability_png(found["reliability"], report.ece, title)),
        Picture("figures", figures_png(found["intervals"], report.labels, title)),
    ]


def data_pictures(run: Run, splits: Mapping[str, LabelledTexts], words_of: str) -> list[Picture]:
    """Labels of all splits, and the words of one of them; without words where their extra is not installed, which is
    reported."""
    labels = run.plan.labels
    counts = {
        name: {label: int((split.labels == k).sum()) for k, label in enumerate(labels)}
        for name, split in splits.items()
    }
    pictures, (texts, truth) = [Picture("labels", labels_png(counts, labels))], splits[words_of]
    words = distinctive_words(texts, truth, len(labels))
    title = f"words that tell each label apart: {words_of}, {len(texts):,} texts"
    try:
        pictures.append(Picture("words", words_png(words, labels, title, run.plan.seed)))
    except ModuleNotFoundError as error:
        run.report.message(f"pictures: {error}")
    return pictures


def learning_curves(run: Run, names: Sequence[str]) -> list[Picture]:
    """Loss curves of some kept models; no picture where none of them has one."""
    records = [record for name in names if (record := model_registry.get(run.engine, run.plan.name, name))]
    curves = {record.name: _kept_curve(record.metrics) for record in records if record.metrics.get("curve")}
    return [Picture("courses", courses_png(curves, run.plan.search.metric))] if curves else []


def _kept_curve(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The epochs of the seed whose weights were kept."""
    curve: list[dict[str, Any]] = metrics["curve"]
    kept = next((e["seed"] for e in curve if e["value"] == metrics.get("kept_value")), curve[0]["seed"])
    return [epoch for epoch in curve if epoch["seed"] == kept]


def write_pictures(pictures: Sequence[Picture], folder: Path) -> list[str]:
    """Writes each as NAME.png, and returns their paths."""
    for picture in pictures:
        write_whole(folder / f"{picture.name}.png", picture.png)
    return [str(folder / f"{picture.name}.png") for picture in pictures]
