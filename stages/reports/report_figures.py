"""Pictures of the models and their data: PNGs beside the results, and one page that holds them all."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

from stages.monitor.report.messages import Both, both, language_of
from stages.monitor.report.sections import results_table
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

FOLDER, PAGE = "pictures", "models.html"
TITLES: dict[str, Both] = {
    "confusion": ("Confusion matrix", "혼동 행렬"),
    "reliability": ("Can its confidence be believed?", "확신을 믿을 수 있는가?"),
    "figures": ("Figures by label, with 95 % intervals", "라벨별 지표와 95 % 구간"),
    "courses": ("Loss curves", "손실 곡선"),
    "labels": ("Labels in the data", "자료의 라벨 분포"),
    "words": ("Words that tell each label apart", "라벨을 가르는 낱말"),
}
DRAWN_OF = "of.json"  # beside the pictures: which result they show
Rows = tuple[Sequence[str], Ints]  # texts (N,), labels (N,)


@dataclass(frozen=True)
class Picture:
    """name: of the file, without its ending. png: its bytes."""

    name: str
    png: bytes

    @property
    def title(self) -> Both:
        """What stands above it."""
        return TITLES[self.name]


def score_pictures(judged: Mapping[str, Any], title: str) -> list[Picture]:
    """What judgement() found: confusion matrix, reliability, figures by label."""
    return [
        Picture("confusion", matrix_png(judged["confusion"], judged["labels"], title)),
        Picture("reliability", reliability_png(judged["reliability"], judged["ece"], title)),
        Picture("figures", figures_png(judged["intervals"], judged["labels"], title)),
    ]


def data_pictures(run: Run, splits: Mapping[str, Rows], of_words: str) -> list[Picture]:
    """Labels of all splits, and the words of one of them; without words, and saying so, where the extra is missing."""
    labels = run.plan.labels
    counts = {name: _counts(own, labels) for name, (_, own) in splits.items()}
    pictures, (texts, own) = [Picture("labels", labels_png(counts, labels))], splits[of_words]
    words = distinctive_words(texts, own, len(labels))
    title = f"words that tell each label apart: {of_words}, {len(texts):,} texts"
    try:
        pictures.append(Picture("words", words_png(words, labels, title, run.plan.seed)))
    except ModuleNotFoundError as error:
        run.report.message(f"pictures: {error}")
    return pictures


def _counts(own: Ints, labels: Sequence[str]) -> dict[str, int]:
    return {label: int((own == k).sum()) for k, label in enumerate(labels)}


def course_picture(run: Run, names: Sequence[str]) -> list[Picture]:
    """Loss curves of some kept models; nothing where none of them tells its course."""
    records = [record for name in names if (record := model_registry.get(run.engine, run.plan.name, name))]
    courses = {record.name: _kept_course(record.metrics) for record in records if record.metrics.get("curve")}
    return [Picture("courses", courses_png(courses, run.plan.search.metric))] if courses else []


def _kept_course(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The epochs of the seed whose weights were kept."""
    curve: list[dict[str, Any]] = metrics["curve"]
    kept = next((e["seed"] for e in curve if e["value"] == metrics.get("kept_value")), curve[0]["seed"])
    return [epoch for epoch in curve if epoch["seed"] == kept]


def draw_gallery(run: Run, result: Mapping[str, Any], splits: Mapping[str, Rows]) -> str:
    """The pictures of an ensemble's result and of its data, and their page, unless they are there; the page's path.

    splits: by name; the last one's words are drawn.
    """
    folder, page = run.results / FOLDER, run.results / PAGE
    told = json.dumps({"fingerprint": result["fingerprint"], "moodline": version("moodline")})
    drawn = folder / DRAWN_OF
    if page.is_file() and drawn.is_file() and drawn.read_text(encoding="utf-8") == told:
        return str(page)
    judged = result.get("judged", {})
    split = next((name for name in ("test", "gold report", "validation") if name in judged), None)
    title = result["chosen"] if result["final"]["kind"] == "ensemble" else result["best_single"]
    pictures = score_pictures(judged[split], f"{title} on {split}") if split else []
    pictures += course_picture(run, list(dict.fromkeys([result["best_single"], *result["members"]])))
    pictures += data_pictures(run, splits, list(splits)[-1])
    write_pictures(pictures, folder)
    write_models_page(run, result["rows"], pictures, page)
    write_whole(drawn, told.encode())
    return str(page)


def write_pictures(pictures: Sequence[Picture], folder: Path) -> list[str]:
    """Writes each as NAME.png, and gives their paths."""
    for picture in pictures:
        write_whole(folder / f"{picture.name}.png", picture.png)
    return [str(folder / f"{picture.name}.png") for picture in pictures]


def kept_pictures(run: Run) -> list[Picture]:
    """Those that lie in the workspace's results, in their order."""
    folder = run.results / FOLDER
    return [
        Picture(name, (folder / f"{name}.png").read_bytes()) for name in TITLES if (folder / f"{name}.png").is_file()
    ]


def pictures_html(pictures: Sequence[Picture]) -> str:
    """Figures with headings in both languages; each picture lies in the page itself."""
    return "".join(
        f"<section><h2>{both(picture.title)}</h2><figure>"
        f'<img src="data:image/png;base64,{b64encode(picture.png).decode("ascii")}" alt="{escape(picture.title[0])}" '
        'style="max-width: 100%; height: auto; background: white"></figure></section>'
        for picture in pictures
    )


def write_models_page(run: Run, rows: Sequence[Mapping[str, Any]], pictures: Sequence[Picture], path: Path) -> None:
    """The table of all models and the pictures as one file, which asks the network for nothing."""
    language = language_of(run.plan.labels)
    page = PAGE_TEMPLATE.substitute(
        language=language,
        title=escape(run.plan.name),
        results=results_table(rows),
        pictures=pictures_html(pictures),
    )
    write_whole(path, page.encode("utf-8"))


PAGE_TEMPLATE = Template(
    """<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>$title</title>
<style>
html:lang(en) [lang="ko"], html:lang(ko) [lang="en"] { display: none; }
body { margin: 0 auto; max-width: 62rem; padding: 1.25rem; color: #1f2328; font: 1rem/1.6 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 700; padding-bottom: 0.5rem; }
th, td { text-align: left; padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid #d8dce1; vertical-align: top; }
.scrolling { overflow-x: auto; }
figure { margin: 0; }
</style>
</head>
<body>
<h1>$title</h1>
$results
$pictures
</body>
</html>
"""
)
