"""Comments that are sampled once and kept, so that comments which are added later change nothing."""

import os
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stages.plan.schema import Plan
from stages.runtime.run_context import SAMPLES, Run
from stages.runtime.stage_execution import fingerprint
from transfer.corpus.comment_stream import read_comments
from transfer.corpus.labelled import Labelled
from transfer.corpus.stratified_sampling import StratifiedSample, stratified_sample
from transfer.errors import UserError
from transfer.tables.sources import CommentSource
from transfer.text.near_duplicates import flood_key


def sampled_comments(
    run: Run, what: str, size: int, taken: Collection[str], *, spread: bool = True
) -> tuple[str, list[str]]:
    """A sample of the plan's comments, at most `size`: a name that changes with what it holds, and the texts.

    what: the first part of its name in files. taken: keys of texts that must not be in it, best a set, as `taken_by`
    gives them; those that were labelled only after the sample was taken are left out of it. spread: over time and
    source, else at random. Raises UserError where there is no comment to sample.
    """
    plan = run.plan
    sources = [source.model_dump(mode="json") for source in plan.comments]
    inputs = {"seed": plan.seed, "sources": sources, "sample": size}
    name = f"{SAMPLES}/{what}-{fingerprint(inputs)}.parquet"
    if not run.files.exists(name):
        publish_table(run, name, _sample(run, size, taken, spread))
    table = pq.read_table(run.files.fetch(name))
    sample = list(zip(table["key"].to_pylist(), table["text"].to_pylist(), strict=True))
    kept = [text for key, text in sample if key not in taken and flood_key(key, text) not in taken]
    return name if len(kept) == len(sample) else f"{name} {fingerprint({'texts': kept})}", kept


def draw_comments(
    plan: Plan, size: int, *, sources: Sequence[CommentSource] | None = None, where: str = "comments", **how: Any
) -> StratifiedSample:
    """A stratified sample of the plan's comments, or of other sources, which stand at `where` in the plan.

    how: further arguments of transfer.corpus.stratified_sampling.stratified_sample.
    """
    zone = plan.index.timezone
    # no salt is needed: authors are not looked at here
    read = partial(read_comments, plan.comments if sources is None else sources, plan.base, zone, salt="", where=where)
    return stratified_sample(read, size, plan.seed, zone, **how)


def taken_by(splits: Sequence[Labelled | None], gold: Sequence[Labelled | None]) -> set[str]:
    """Keys of all their texts; of gold's, which are comments themselves, also what near-duplicates share."""
    keys = {key for rows in splits if rows for key in rows.keys}
    for rows in gold:
        for key, text in zip(rows.keys, rows.texts, strict=True) if rows else ():
            keys |= {key, flood_key(key, text)}
    return keys


def publish_table(run: Run, name: str, table: pa.Table) -> None:
    """Puts a table into files under its name, whole or not at all; one of that name is replaced."""
    local = run.scratch / f"table-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, local)
    run.files.publish(local, name)
    local.unlink()


def _sample(run: Run, size: int, taken: Collection[str], spread: bool) -> pa.Table:
    sample = draw_comments(run.plan, size, same=flood_key, without=taken, spread=spread)
    if not sample.rows:
        raise UserError("comments: no comment with a text was found", f"left out: {sample.left_out}")
    return pa.table({"key": [row.key for row in sample.rows], "text": [row.text for row in sample.rows]})


def masked_notes(plan: Plan, masked: int, rows: int) -> list[str]:
    """What to change in a plan that resamples authors though most of `rows` comments have a masked one; [] if none."""
    if plan.index.cluster == "source" or 2 * masked <= rows:
        return []
    return [
        f"{masked:,} of {rows:,} comments have a masked author (kim****), so that one name may be many people: set "
        "index.cluster: source, and index.author_cap: null, so that no cap is laid on such a name"
    ]
