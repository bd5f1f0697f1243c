"""Makes the demo in a folder: generated texts, shipped tiny models and a plan. Offline; the same for the same seed."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from shutil import copyfile
from string import Template
from typing import Any

from stages.demo.corpus import DATA, FULL, LANGUAGES, Corpus, Size, make_corpus
from transfer.errors import UserError

PLAN = "plan.yaml"
STAMP = "world.json"  # which demo a folder holds; the name that 0.1.0 gave it
MODELS = DATA / "models"  # by language; made by benchmarks/make_demo_models.py
# what the prompt calls the labels
LABEL_NAMES = {
    "en": {"anger": "anger", "sadness": "sadness", "neutral": "neutral", "happiness": "happiness"},
    "ko": {"anger": "분노", "sadness": "슬픔", "neutral": "중립", "happiness": "행복"},
}
# whose days are counted; UTC for English, as those commenters live everywhere
TIME_ZONES = {"en": "UTC", "ko": "Asia/Seoul"}


def make_demo(folder: Path, language: str, seed: int, report: Callable[[str], None], *, size: Size = FULL) -> Path:
    """Writes a demo into `folder` and returns its plan's path; a demo that is there already is left as it is.

    language: "ko" or "en". seed: of texts and plan; the models are the same for all seeds. report: gets a line about
    what was made. A folder whose making was interrupted is made again. Raises UserError for another language, and for
    a folder that cannot be written or holds something else.
    """
    if language not in LANGUAGES:
        raise UserError(f"--language: no demo in '{language}'", f"there are {' and '.join(LANGUAGES)}")
    stamp = {"language": language, "seed": seed, "size": asdict(size)}
    if _is_made(folder, stamp):
        report(f"{folder} holds this demo's texts and models already")
        return folder / PLAN
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        _write_stamp(folder, stamp, complete=False)
        corpus = make_corpus(language, seed, size)
        _write_texts(corpus, folder / "data")
        _copy_models(language, folder / "models")
        (folder / PLAN).write_text(plan_text(language, seed, size), encoding="utf-8")
        _write_stamp(folder, stamp, complete=True)
        report(
            f"wrote {len(corpus.original):,} dialogue sentences, {len(corpus.comments):,} comments of {size.days} "
            f"days, {len(corpus.gold):,} gold labels, three tiny encoders and a tiny Gemma, which stands in for the LLM"
        )
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}", "name another folder") from error
    return folder / PLAN


def plan_text(language: str, seed: int, size: Size) -> str:
    """plan.yaml of a demo: every line with what it means, for somebody who reads a plan for the first time."""
    names = ", ".join(f"{label}: {name}" for label, name in LABEL_NAMES[language].items())
    template = Template((DATA / PLAN).read_text(encoding="utf-8"))
    return template.substitute(
        language=language, seed=seed, sample=size.sample, names=f"{{{names}}}", time_zone=TIME_ZONES[language]
    )


def _is_made(folder: Path, stamp: dict[str, Any]) -> bool:
    """Whether `folder` holds this demo, complete. Raises UserError where it holds anything else."""
    file = folder / STAMP
    if not file.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is neither empty nor a demo's folder", "name another one")
        return False
    found = json.loads(file.read_text(encoding="utf-8"))
    complete = bool(found.pop("complete"))
    found["size"] = {name: found["size"].get(name) for name in stamp["size"]}  # 0.1.0's has the models' sizes, too
    if found != stamp:
        raise UserError(
            f"{folder} holds another demo: language {found['language']}, seed {found['seed']}",
            "name another folder, or remove this one",
        )
    return complete


def _write_stamp(folder: Path, stamp: dict[str, Any], *, complete: bool) -> None:
    text = json.dumps({**stamp, "complete": complete}, indent=2)
    (folder / STAMP).write_text(text + "\n", encoding="utf-8")


def _write_texts(corpus: Corpus, folder: Path) -> None:
    """original.csv, comments.parquet and gold.csv; of the comments' true emotions, gold's labels alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": pa.string(),
        "text": pa.string(),
        "written_at": pa.timestamp("ms"),  # without a zone: local time of the plan's
        "author": pa.string(),
        "video": pa.string(),
    }
    comments = {
        name: pa.array([getattr(comment, name) for comment in corpus.comments], kind) for name, kind in columns.items()
    }
    gold = ((comment.id, comment.text, label) for comment, label in corpus.gold)
    _write_csv(folder / "original.csv", ["text", "label"], corpus.original)
    _write_csv(folder / "gold.csv", ["id", "text", "label"], gold)
    pq.write_table(pa.table(comments), folder / "comments.parquet")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _copy_models(language: str, folder: Path) -> None:
    """Copies contents without permissions, so that the folder can be removed where installed files are read-only."""
    source = MODELS / language
    for file in sorted(source.glob("*/*")):
        copy = folder / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copyfile(file, copy)
