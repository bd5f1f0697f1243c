"""Selecting the comments that are labelled: sampled once and kept, and extended where the plan wants more."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.comment_samples import draw_comments, publish_table
from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import (
    Pairs,
    labelled_by_people,
    read_sample,
    sample_name,
    sample_sources,
    settings_of,
)
from stages.label.labeller_ensemble import stage_one_winner
from stages.plan.schema import Plan
from stages.results.label_result import SampleOrigin
from stages.runtime.run_context import Run
from transfer.corpus.stratified_sampling import StratifiedSample
from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages

# The least sure comments are taken from a pool so many times as large, of at most MOST_POOLED: stage one reads it all.
POOL, MOST_POOLED = 10, 50_000
SCHEMA = pa.schema(
    {"key": pa.string(), "text": pa.string(), "how": pa.string(), "stratum": pa.string(), "margin": pa.float64()}
)


@dataclass(frozen=True)
class _Selected:
    """how: random, stratified or uncertain. margin: how much likelier the likeliest label is than the next, or None."""

    key: str
    text: str
    how: str
    stratum: str
    margin: float | None = None


def sample_comments(run: Run, gold: Gold | None) -> Pairs:
    """(key, text) of the comments to label: sampled once and kept, extended where the plan asks for more.

    Comments that are added later change nothing: what was labelled stays in training. Texts that stand in gold or in
    the original data are left out, also where they were added there after the sample was taken.
    """
    size, kept, taken = settings_of(run.plan).sample, read_sample(run), labelled_by_people(run, gold)
    usable = [(key, text) for key, text in kept if key not in taken]
    if len(usable) < size:
        known = {name for key, text in kept for name in (key, flood_key(key, text))}
        selected, left_out = _select(run, size - len(usable), taken | known)
        if selected:
            _extend(run, selected, left_out)
        usable += [(row.key, row.text) for row in selected]
    return usable[:size]


def sample_origin(run: Run) -> SampleOrigin:
    """How the kept sample came about."""
    settings = settings_of(run.plan)
    table = pq.read_table(run.files.fetch(sample_name(run.plan)))
    by, strata = (Counter(table.column(name).to_pylist()) for name in ("how", "stratum"))
    return SampleOrigin(
        choose=settings.choose,
        languages=settings.languages,
        by=dict(sorted(by.items())),
        strata=dict(sorted(strata.items())),
        left_out=json.loads(table.schema.metadata[b"left_out"]),
    )


def _select(run: Run, size: int, without: Collection[str]) -> tuple[list[_Selected], dict[str, int]]:
    choose = settings_of(run.plan).choose
    unsure = {"uncertain": size, "mixed": size // 2}.get(choose, 0)
    pool = _draw(run.plan, max(size, min(POOL * unsure, MOST_POOLED) + size - unsure), without)
    how = "random" if choose == "random" else "stratified"
    rows = [_Selected(row.key, row.text, how, row.stratum) for row in pool.rows]
    spread, rest = rows[: size - unsure], rows[size - unsure :]
    doubtful = _least_sure(run, rest, unsure) if rest and unsure else []
    # in turns, so that also a beginning of the sample is mixed
    turns = chain.from_iterable(zip_longest(spread, doubtful))
    return [row for row in turns if row is not None], pool.left_out


def _least_sure(run: Run, rows: Sequence[_Selected], size: int) -> list[_Selected]:
    """The rows with the smallest margin between the two likeliest labels: Scheffer et al., Active Hidden Markov Models
    for Information Extraction (2001)."""
    predictor = stage_one_winner(run)
    run.report.message(f"label: {predictor.members[0]} reads {len(rows):,} comments to find those it is least sure of")
    ranked = np.sort(predictor.probabilities([row.text for row in rows]), axis=1)
    margins = ranked[:, -1] - ranked[:, -2]
    order = sorted(range(len(rows)), key=lambda i: (float(margins[i]), rows[i].key))[:size]
    return [_Selected(rows[i].key, rows[i].text, "uncertain", rows[i].stratum, float(margins[i])) for i in order]


def _draw(plan: Plan, size: int, without: Collection[str]) -> StratifiedSample:
    settings = settings_of(plan)
    return draw_comments(
        plan,
        size,
        sources=sample_sources(plan),
        where="pseudo_label.sources" if settings.sources else "comments",
        same=flood_key,
        wanted=in_languages(settings.languages),
        without=without,
        spread=settings.choose != "random",
    )


def _extend(run: Run, selected: Sequence[_Selected], left_out: dict[str, int]) -> None:
    """left_out: of the last selection, which has read all comments again."""
    name = sample_name(run.plan)
    more = pa.Table.from_pylist([vars(row) for row in selected], SCHEMA)
    before = [pq.read_table(run.files.fetch(name))] if run.files.exists(name) else []
    table = pa.concat_tables([*(old.replace_schema_metadata() for old in before), more])
    publish_table(run, name, table.replace_schema_metadata({"left_out": json.dumps(left_out)}))
