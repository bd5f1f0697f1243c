"""Reads everything that a plan names, and says what would run, on what, how long about, and every problem found."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from stages.datasets.masked_authors import masked_notes
from stages.datasets.original_and_gold import Gold, halves_of, read_gold_rows, read_original
from stages.label.labeller_ensemble import named_labellers, require_labellers
from stages.label.labelling_cost import LOOKED_AT, would_cost
from stages.monitor.context_builder import check_beside
from stages.plan.plan_settings import FurtherSettings, SearchSettings
from stages.plan.schema import Plan, read_plan
from stages.plan.validation import LAYERS
from stages.runtime.overview import stages_of
from stages.runtime.run_context import candidate_location, check_writable, files_of, store_url
from stages.search.run_search import subset_of
from stages.study_runs.search_warnings import search_notes
from storage.database.engine import check_store
from storage.errors import StoreError
from studies.refit_settings import recheck_of
from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import Space
from studies.study_config import StudyConfig
from transfer.corpus.comment_stream import MASKED, read_comments
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original, deal_halves
from transfer.device.device import device_name, has_bf16
from transfer.encoders.model import depth, load_config, load_tokenizer
from transfer.errors import UserError, UserErrors
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.tables.sources import CommentSource

QUANTILES = {"median": 50, "95 %": 95, "longest": 100}
BACKWARD = 3  # a training step costs a forward pass and a backward one twice as dear
REACHED = 0.3  # of the speed of a large matrix product
EPOCHS = 3.5  # the middle of the default space
CONTROLS = 2  # fine-tunes that stage two is compared with
TOKENS_A_CHARACTER = 0.4  # between Korean word pieces (0.6) and English ones (0.25)
T = TypeVar("T")
NO_COMMENTS: dict[str, Any] = {"rows": 0, "texts": 0, "lengths": {}, "dropped": {}, "some": [], "masked": 0}


def check_file(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """check_plan of the plan in a file; where that is no plan, what is wrong with it stands in `problems`."""
    try:
        plan = read_plan(path, overrides)
    except UserError as problem:
        problems = getattr(problem, "problems", [str(problem)])
        return {"rows": {}, "labels": {}, "dropped": {}, "problems": problems}
    return check_plan(plan)


def check_plan(plan: Plan) -> dict[str, Any]:
    """The result has `rows`, `labels` (count per label and split), `lengths` (characters), `dropped`, `overlaps`,
    `conflicts`, `would_run`, `seconds` (a rough estimate by stage), `labelling` (what servers would cost, see
    stages.label.labelling_cost), `notes` and `problems`; `run` works where there are no problems."""
    problems: list[str] = []
    original = _tried(problems, lambda: read_original(plan))
    subset = _tried(problems, lambda: subset_of(plan, original) if original else None)
    gold = _tried(problems, lambda: read_gold_rows(plan))
    _tried(problems, lambda: check_writable(plan))
    _tried(problems, lambda: check_store(store_url(plan)))
    _tried(problems, lambda: files_of(plan))
    _tried(problems, lambda: check_beside(plan))
    halves = _tried(problems, lambda: _halves(plan, gold))
    labels = "label" in stages_of(plan)
    if labels:
        _tried(problems, lambda: require_labellers(plan))
    sample_from = (plan.pseudo_label and plan.pseudo_label.sources) or []
    sources = _tried(problems, lambda: _read_comments(plan, sample_from, "pseudo_label.sources"))
    comments = _tried(problems, lambda: _read_comments(plan, plan.comments, "comments")) or NO_COMMENTS
    labelling = _tried(
        problems, lambda: _labelling(plan, sources if sample_from else comments, halves) if labels else []
    )
    encoders = [_tried(problems, partial(_encoder, plan, candidate)) for candidate in plan.candidates]
    splits = _splits(original, gold)
    return {
        "rows": {name: len(rows) for name, rows in splits.items()} | {"comments": comments["rows"]},
        "labels": {name: _counts(rows, plan.labels) for name, rows in splits.items()},
        "lengths": {name: _lengths([len(t) for t in rows.texts]) for name, rows in splits.items()}
        | ({"comments": comments["lengths"]} if comments["rows"] else {}),
        "dropped": {
            **(original.dropped if original else {}),
            **_named("gold", gold.dropped if gold else {}),
            **comments["dropped"],
        },
        "overlaps": _overlaps(splits),
        "conflicts": {name: rows.conflicts for name, rows in splits.items() if rows.conflicts},
        "would_run": _would_run(plan, comments["rows"], None if subset is None else len(subset)),
        "candidates": [encoder for encoder in encoders if encoder],
        "device": {"name": device_name(), "bf16": has_bf16(device_name())},
        "seconds": _seconds(plan, original, subset, [found for found in encoders if found], comments["texts"]),
        "labelling": labelling or [],
        "notes": [*_notes(plan), *masked_notes(plan, comments["masked"], comments["rows"])],
        "problems": problems,
    }


def _halves(plan: Plan, gold: Labelled | None) -> Gold | None:
    return None if gold is None else halves_of(gold, deal_halves(gold.keys, gold.labels, plan.seed, {}))


def _labelling(plan: Plan, comments: Mapping[str, Any] | None, gold: Gold | None) -> list[dict[str, Any]]:
    """What servers would cost, if none of the comments were labelled yet."""
    if comments is None or plan.pseudo_label is None:
        return []
    people = len(gold.tune) + len(gold.report) if gold else 0
    return would_cost(plan, min(plan.pseudo_label.sample, comments["texts"]) + people, comments["some"], gold)


def _notes(plan: Plan) -> list[str]:
    """What is allowed and unlikely to be meant. Stage two's candidate is not known yet."""
    basic = plan.space("search", default_space(LAYERS))
    further = plan.space("further", {**default_space(LAYERS), **default_mixing()})
    wanted = [(plan.search, f"search · {candidate}", basic) for candidate in plan.candidates]
    studies: list[tuple[SearchSettings | FurtherSettings, str, Space]] = [*wanted]
    if "further" in stages_of(plan):
        studies.append((plan.further, "further", further))
    return [note for settings, name, space in studies for note in search_notes(_search(plan, settings, name, space))]


def _search(plan: Plan, settings: SearchSettings | FurtherSettings, name: str, space: Space) -> StudyConfig:
    return StudyConfig(
        name=f"{plan.name} · {name}",
        direction="maximize",
        metric="",
        space=space,
        baseline={},
        trials=settings.trials,
        seed=plan.seed,
        sampler=settings.sampler,
        seeds=settings.seeds,
        pruner=settings.pruner,
    )


def _tried(problems: list[str], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except UserErrors as several:
        problems += several.problems
    except (UserError, StoreError) as problem:
        problems.append(str(problem))
    return None


def _read_comments(plan: Plan, sources: Sequence[CommentSource], where: str) -> dict[str, Any]:
    """Counts and lengths of the comments, in one pass; distinct texts are counted by their 64-bit keys."""
    dropped, rows, keys, lengths, some = Counter[str](), 0, set[str](), list[int](), list[str]()
    # no salt is needed: authors are not looked at here
    for batch in read_comments(sources, plan.base, plan.index.timezone, salt="", where=where, dropped=dropped):
        rows += batch.num_rows
        keys.update(batch.column("key").to_pylist())
        texts = batch.column("text").to_pylist()
        lengths += [len(text) for text in texts]
        some += texts[: LOOKED_AT - len(some)]
    if sources and not rows:
        raise UserError(f"{where}: no comment with a text was found", f"left out: {dict(dropped)}")
    found = {"rows": rows, "texts": len(keys), "lengths": _lengths(lengths), "some": some}
    found["masked"] = dropped.pop(MASKED, 0)
    return found | {"dropped": _named("comments", dropped)}


def _encoder(plan: Plan, candidate: str) -> dict[str, Any]:
    """What is known of a candidate without loading its weights."""
    import torch
    from transformers import AutoModel

    start = candidate_location(plan, candidate)
    config = load_config(start)
    load_tokenizer(start)
    with torch.device("meta"):
        model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    embeddings = sum(p.numel() for name, p in model.named_parameters() if "embedding" in name)
    everything = sum(p.numel() for p in model.parameters())
    return {
        "candidate": candidate,
        "architecture": config.model_type,
        "layers": depth(config),
        "parameters": everything,
        "per_token": everything - embeddings,
    }


def _splits(original: Original | None, gold: Labelled | None) -> dict[str, Labelled]:
    splits = {"train": original.train, "validation": original.validation} if original else {}
    if original and original.test:
        splits["test"] = original.test
    return splits | ({"gold": gold} if gold else {})


def _counts(rows: Labelled, labels: list[str]) -> dict[str, int]:
    counts = np.bincount(rows.labels, minlength=len(labels))
    return {label: int(count) for label, count in zip(labels, counts, strict=True)}


def _lengths(lengths: list[int]) -> dict[str, int]:
    """Characters of a text: median, 95th percentile, longest."""
    if not lengths:
        return {}
    return {name: int(np.percentile(lengths, q)) for name, q in QUANTILES.items()}


def _overlaps(splits: Mapping[str, Labelled]) -> dict[str, int]:
    """Texts that still stand in two places, by their keys alone; gold's are left out of training when it runs."""
    found = {}
    names = list(splits)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = len(set(splits[first].keys) & set(splits[second].keys))
            if both:
                found[f"{first} and {second}"] = both
    return found


def _named(split: str, dropped: Mapping[str, int]) -> dict[str, int]:
    return {f"{split}: {reason}": count for reason, count in dropped.items() if count}


def _would_run(plan: Plan, comments: int, subset: int | None) -> list[dict[str, str]]:
    searched = _again(plan.search)
    if plan.search.subset is not None and subset is not None:
        searched = f" on {subset:,} rows, the best {plan.search.subset.refit} and the baseline on all{searched}"
    basic = f"{len(plan.candidates)} candidates x {plan.search.trials} trials{searched}: {', '.join(plan.candidates)}"
    asked = " and ".join(_named_labeller(settings) for _, settings in named_labellers(plan))
    adapted = plan.candidates if plan.adapt is not None and plan.adapt.before == "search" else ["stage one's winner"]
    says = {
        "adapt": f"{', '.join(adapted)} to {plan.adapt.comments if plan.adapt else 0:,} comments at most",
        "search": basic,
        "label": f"{plan.pseudo_label.sample if plan.pseudo_label else 0} comments by {asked}",
        "further": f"{plan.further.trials} trials{_again(plan.further)}, and either source alone",
        "ensemble": f"{plan.ensemble.combine} of the best {plan.ensemble.top}",
        "distil": f"{plan.distil.encoder if plan.distil else None} learns what the ensemble says of "
        f"{min(plan.distil.sample if plan.distil else 0, comments) or 'the training'} texts",
        "infer": f"{comments} comments",
        "monitor": f"per {', '.join(plan.index.every)}, {plan.index.timezone}",
    }
    return [{"stage": stage, "what": says[stage]} for stage in stages_of(plan)]


def _named_labeller(settings: LabellerSettings) -> str:
    prompts = (1 + len(settings.prompt.paraphrases)) * settings.prompt.orders
    name = settings.model or settings.base_url or "stage one, as teacher"
    name += f" with {prompts} prompts each" if prompts > 1 else ""
    tuning = settings.tuning
    return name + (f", tuned before ({tuning.kind}) on {tuning.sample:,} rows of original train" if tuning else "")


def _again(settings: SearchSettings | FurtherSettings) -> str:
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    return "" if recheck is None else f", the best {recheck.top} again on {recheck.seeds} fresh seeds"


def full_fits(settings: SearchSettings | FurtherSettings, part: float) -> float:
    """Fine-tunes on all training rows that a study and what follows cost. part: of the rows that it searches on."""
    recheck = recheck_of(settings.recheck, settings.trials, settings.keep)
    again = recheck.top * recheck.seeds if recheck else 0
    subset = settings.subset if isinstance(settings, SearchSettings) else None
    return settings.seeds * (settings.trials * part + (subset.refit + 1 if subset else 0) + again)


def _seconds(
    plan: Plan, original: Original | None, subset: Labelled | None, encoders: list[dict[str, Any]], texts: int
) -> dict[str, float]:
    """Roughly how long each stage takes on this machine, in seconds; the labeller's part is not guessed.

    Operations of a forward pass, 2 a parameter and token (Kaplan et al., 2020, table 1), over the speed of a matrix
    product measured now, of which a small batch reaches about a third.
    """
    if original is None or not encoders:
        return {}
    speed = _matrix_speed() * REACHED
    tokens = TOKENS_A_CHARACTER * float(np.mean([min(len(text), 200) for text in original.train.texts])) + 2
    epoch = len(original.train) * tokens * 2 * BACKWARD / speed
    part = 1.0 if subset is None else len(subset) / len(original.train)
    basic = sum(epoch * encoder["per_token"] * EPOCHS * full_fits(plan.search, part) for encoder in encoders)
    typical = float(np.mean([encoder["per_token"] for encoder in encoders]))
    seconds = {"search": basic}
    if "further" in stages_of(plan):
        seconds["further"] = epoch * typical * EPOCHS * (full_fits(plan.further, 1.0) + CONTROLS)
    if "infer" in stages_of(plan):
        seconds["infer"] = texts * tokens * 2 * typical / speed * (plan.ensemble.top if plan.final == "ensemble" else 1)
    return {stage: float(f"{value:.2g}") for stage, value in seconds.items()}


def _matrix_speed() -> float:
    """Operations a second of a matrix product in the format that training would use."""
    import torch

    device = device_name()
    dtype = torch.bfloat16 if has_bf16(device) else torch.float32
    square = torch.randn(1024, 1024, device=device).to(dtype)
    (square @ square).sum().item()
    began = time.perf_counter()
    for _ in range(5):
        product = square @ square
    product.sum().item()
    return 5 * 2 * 1024**3 / (time.perf_counter() - began)
