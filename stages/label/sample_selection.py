"""Which comments the labeller reads: drawn once, kept with how, and extended where the plan wants more."""

import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.original_and_gold import Gold, read_original
from stages.label.self_training import stage_one_winner
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.schema import Plan
from stages.runtime.run_context import SAMPLES, Run
from stages.runtime.stage_execution import fingerprint
from transfer.corpus.comment_stream import read_comments
from transfer.corpus.stratified_sampling import StratifiedSample, stratified_sample
from transfer.errors import UserError
from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages

# Of so many times the comments asked for the least sure are taken, at most MOST_POOLED: stage one must read them all.
POOL, MOST_POOLED = 10, 50_000
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class _Picked:
    """how: random, stratified or uncertain. margin: how much likelier the likeliest label is than the next, or None."""

    key: str
    text: str
    how: str
    stratum: str
    margin: float | None = None


def settings_of(plan: Plan) -> PseudoLabelSettings:
    """The labelling's part of the plan. Raises UserError where it has none, or nothing to label."""
    if plan.pseudo_label is None:
        raise UserError(f"{plan.file.name}, pseudo_label: null", "give it a labeller, and stage two can run")
    if not _sources(plan):
        raise UserError(
            f"{plan.file.name}, comments: none are named", "stage two learns from comments: name their files"
        )
    return plan.pseudo_label


def kept_sample(run: Run, gold: Gold | None) -> Pairs:
    """(key, text) of the comments to label: drawn once and kept, extended where the plan asks for more.

    Comments that come later change nothing: what was labelled stays what is learnt from. Texts that stand in gold or
    in the original data are left out, also where they came there after the sample was drawn.
    """
    size, kept = settings_of(run.plan).sample, _read(run)
    taken = _taken(run.plan, gold)
    usable = [(key, text) for key, text in kept if key not in taken]
    if len(usable) < size:
        have = {name for key, text in kept for name in (key, flood_key(key, text))}
        picked, left_out = _pick(run, size - len(usable), taken | have)
        if picked:
            _extend(run, picked, left_out)
        usable += [(row.key, row.text) for row in picked]
    return usable[:size]


def how_drawn(run: Run) -> dict[str, Any]:
    """How the kept sample came about: `choose`, `languages`, comments `by` way and `strata`, what was `left_out`."""
    settings = settings_of(run.plan)
    table = pq.read_table(run.files.fetch(sample_name(run.plan)))
    return {
        "choose": settings.choose,
        "languages": settings.languages,
        "by": dict(sorted(Counter(table.column("how").to_pylist()).items())),
        "strata": dict(sorted(Counter(table.column("stratum").to_pylist()).items())),
        "left_out": json.loads(table.schema.metadata[b"left_out"]),
    }


def sample_name(plan: Plan) -> str:
    """The sample's name in files: other sources, another seed or another way of choosing are another sample."""
    settings = settings_of(plan)
    drawn = {
        "seed": plan.seed,
        "sources": [source.model_dump(mode="json") for source in _sources(plan)],
        "choose": settings.choose,
        "languages": settings.languages,
    }
    return f"{SAMPLES}/{fingerprint(drawn)}.parquet"


def _pick(run: Run, size: int, without: Collection[str]) -> tuple[list[_Picked], dict[str, int]]:
    choose = settings_of(run.plan).choose
    unsure = {"uncertain": size, "mixed": size // 2}.get(choose, 0)
    pool = _draw(run.plan, max(size, min(POOL * unsure, MOST_POOLED) + size - unsure), without)
    how = "random" if choose == "random" else "stratified"
    rows = [_Picked(row.key, row.text, how, row.stratum) for row in pool.rows]
    spread, rest = rows[: size - unsure], rows[size - unsure :]
    doubtful = _least_sure(run, rest, unsure) if rest and unsure else []
    # in turns, so that also a beginning of the sample is mixed
    turns = chain.from_iterable(zip_longest(spread, doubtful))
    return [row for row in turns if row is not None], pool.left_out


def _least_sure(run: Run, rows: Sequence[_Picked], size: int) -> list[_Picked]:
    """The rows with the smallest margin between the two likeliest labels: Scheffer et al., Active Hidden Markov Models
    for Information Extraction (2001)."""
    predictor = stage_one_winner(run)
    run.report.message(f"label: {len(rows):,} comments are read by {predictor.members[0]} to find doubtful ones")
    ranked = np.sort(predictor.probabilities([row.text for row in rows]), axis=1)
    margins = ranked[:, -1] - ranked[:, -2]
    order = sorted(range(len(rows)), key=lambda i: (float(margins[i]), rows[i].key))[:size]
    return [_Picked(rows[i].key, rows[i].text, "uncertain", rows[i].stratum, float(margins[i])) for i in order]


def _draw(plan: Plan, size: int, without: Collection[str]) -> StratifiedSample:
    settings = settings_of(plan)
    # no salt is needed: authors are not looked at here
    read = partial(read_comments, _sources(plan), plan.base, plan.index.timezone, salt="", where=_where(plan))
    return stratified_sample(
        read,
        size,
        plan.seed,
        plan.index.timezone,
        same=flood_key,
        wanted=in_languages(settings.languages),
        without=without,
        spread=settings.choose != "random",
    )


def _taken(plan: Plan, gold: Gold | None) -> set[str]:
    """Keys of the texts that are labelled already, by people."""
    original = read_original(plan)
    splits = [original.train, original.validation, *([original.test] if original.test else [])]
    return {key for rows in [*splits, *((gold.tune, gold.report) if gold else ())] for key in rows.keys}


def _read(run: Run) -> Pairs:
    name = sample_name(run.plan)
    if not run.files.exists(name):
        return []
    table = pq.read_table(run.files.fetch(name), columns=["key", "text"])
    return list(zip(table.column("key").to_pylist(), table.column("text").to_pylist(), strict=True))


def _extend(run: Run, picked: Sequence[_Picked], left_out: dict[str, int]) -> None:
    """left_out: of the last draw, which has met all comments again."""
    name, local = sample_name(run.plan), run.scratch / f"sample-{os.getpid()}.parquet"
    more = pa.Table.from_pylist([vars(row) for row in picked], SCHEMA)
    before = [pq.read_table(run.files.fetch(name))] if run.files.exists(name) else []
    table = pa.concat_tables([*(old.replace_schema_metadata() for old in before), more])
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"left_out": json.dumps(left_out)}), local)
    run.files.publish(local, name)
    local.unlink()


SCHEMA = pa.schema(
    {"key": pa.string(), "text": pa.string(), "how": pa.string(), "stratum": pa.string(), "margin": pa.float64()}
)


def _sources(plan: Plan) -> list[Any]:
    own = plan.pseudo_label.sources if plan.pseudo_label else None
    return list(own or plan.comments)


def _where(plan: Plan) -> str:
    return "pseudo_label.sources" if plan.pseudo_label and plan.pseudo_label.sources else "comments"
