"""Makes the demo's world in a folder: texts, tiny models and a plan. Offline, and the same again for the same seed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stages.demo.demo_size import FULL, Size
from transfer.errors import UserError

PLAN = "plan.yaml"
STAMP = "world.json"
LANGUAGES = ("ko", "en")

Say = Callable[[str], None]


def make_world(folder: Path, language: str, seed: int, say: Say, *, size: Size = FULL) -> Path:
    """Writes a world into `folder` and returns its plan's path; a world that is there already is left as it is.

    language: "ko" or "en". say: hears a line about each thing made. A folder whose making was interrupted is made
    again. Raises UserError for another language, and for a folder that cannot be written or holds something else.
    """
    if language not in LANGUAGES:
        raise UserError(f"--language: no demo in '{language}'", f"there are {' and '.join(LANGUAGES)}")
    facts = {"language": language, "seed": seed, "size": asdict(size)}
    if _is_made(folder, facts):
        say(f"{folder} holds this demo's texts and models already")
        return folder / PLAN
    try:
        for name in ("data", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        _stamp(folder, facts, complete=False)
        _fill(folder, language, seed, say, size)
        _stamp(folder, facts, complete=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}", "name another folder") from error
    return folder / PLAN


def _is_made(folder: Path, facts: dict[str, object]) -> bool:
    """Whether `folder` holds this world, whole. Raises UserError where it holds anything else."""
    stamp = folder / STAMP
    if not stamp.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is neither empty nor a demo's folder", "name another one")
        return False
    found = json.loads(stamp.read_text(encoding="utf-8"))
    complete = bool(found.pop("complete"))
    if found != facts:
        raise UserError(
            f"{folder} holds another demo: language {found['language']}, seed {found['seed']}",
            "name another folder, or remove this one",
        )
    return complete


def _stamp(folder: Path, facts: dict[str, object], *, complete: bool) -> None:
    text = json.dumps({**facts, "complete": complete}, indent=2)
    (folder / STAMP).write_text(text + "\n", encoding="utf-8")


def _fill(folder: Path, language: str, seed: int, say: Say, size: Size) -> None:
    """Texts, models and plan, whatever is there already."""
    import torch

    from stages.demo.corpus import make_corpus
    from stages.demo.demo_files import write_texts
    from stages.demo.demo_plan import plan_text
    from stages.demo.pretraining import one_thread
    from stages.demo.tiny_encoders import ENCODERS, make_encoder
    from stages.demo.tiny_lm import make_llm

    corpus = make_corpus(language, seed, size)
    write_texts(corpus, folder / "data")
    say(
        f"wrote {len(corpus.original):,} dialogue sentences, {len(corpus.comments):,} comments of {size.days} days "
        f"and {len(corpus.gold):,} gold labels"
    )
    with torch.random.fork_rng(devices=[]), one_thread(), _silent_saving():
        for kind in ENCODERS:
            with _timed(say, f"pretrained a tiny {kind} on the unlabelled texts"):
                make_encoder(kind, corpus.reading, folder / "models" / kind, seed, size)
        with _timed(say, "raised a tiny Gemma, which stands in for the LLM, on diaries and reviews"):
            make_llm(corpus.diary, language, folder / "models" / "gemma", seed, size)
    (folder / PLAN).write_text(plan_text(language, seed, size), encoding="utf-8")


@contextmanager
def _timed(say: Say, what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    say(f"{what} ({time.perf_counter() - start:.0f} s)")


@contextmanager
def _silent_saving() -> Iterator[None]:
    """transformers draws a bar for every model that it saves; four of them say nothing."""
    import transformers

    logging: Any = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
