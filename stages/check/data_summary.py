"""What the data that a plan names holds: counts, lengths, overlaps, and its candidates without their weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from stages.label.labelling_cost import LOOKED_AT
from stages.plan.schema import Plan
from stages.results.check_result import CheckedEncoder
from stages.runtime.run_context import candidate_location
from transfer.corpus.comment_stream import MASKED, read_comments
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original
from transfer.encoders.model import depth, load_config, load_tokenizer
from transfer.errors import UserError
from transfer.tables.sources import CommentSource

QUANTILES = {"median": 50, "95 %": 95, "longest": 100}


@dataclass(frozen=True)
class CommentSummary:
    """What one pass over comments finds. rows: comments; texts: distinct ones. some: texts, at most LOOKED_AT. masked:
    comments of a masked author."""

    rows: int = 0
    texts: int = 0
    lengths: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    some: list[str] = field(default_factory=list)
    masked: int = 0


def read_all_comments(plan: Plan, sources: Sequence[CommentSource], where: str) -> CommentSummary:
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
    masked = dropped.pop(MASKED, 0)
    return CommentSummary(rows, len(keys), length_quantiles(lengths), named("comments", dropped), some, masked)


def encoder_summary(plan: Plan, candidate: str) -> CheckedEncoder:
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
    return CheckedEncoder(
        candidate=candidate,
        architecture=config.model_type,
        layers=depth(config),
        parameters=everything,
        per_token=everything - embeddings,
    )


def splits_of(original: Original | None, gold: Labelled | None) -> dict[str, Labelled]:
    """All labelled data that could be read, by split."""
    splits = {"train": original.train, "validation": original.validation} if original else {}
    if original and original.test:
        splits["test"] = original.test
    return splits | ({"gold": gold} if gold else {})


def label_counts(rows: Labelled, labels: list[str]) -> dict[str, int]:
    counts = np.bincount(rows.labels, minlength=len(labels))
    return {label: int(count) for label, count in zip(labels, counts, strict=True)}


def length_quantiles(lengths: list[int]) -> dict[str, int]:
    """Characters of a text: median, 95th percentile, longest."""
    if not lengths:
        return {}
    return {name: int(np.percentile(lengths, q)) for name, q in QUANTILES.items()}


def overlaps(splits: Mapping[str, Labelled]) -> dict[str, int]:
    """Texts that still stand in two places, by their keys alone; gold's are left out of training when it runs."""
    keys = {name: set(rows.keys) for name, rows in splits.items()}
    found = {f"{one} and {other}": len(keys[one] & keys[other]) for one, other in combinations(keys, 2)}
    return {name: count for name, count in found.items() if count}


def named(split: str, dropped: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason, the split before each reason."""
    return {f"{split}: {reason}": count for reason, count in dropped.items() if count}
