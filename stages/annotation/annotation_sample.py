"""The comments that people are to label: a stratified random sample, taken once and kept."""

import json
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.comment_samples import publish_table
from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from transfer.corpus.comment_stream import read_comments
from transfer.corpus.stratified_sampling import SampledComment, StratifiedSample, stratified_sample
from transfer.errors import UserError

FOLDER = "annotate"  # of the samples' names in files
MOST = 5_000  # comments sampled at once; who labels fewer labels the first of them


def sample_to_annotate(run: Run) -> StratifiedSample:
    """The comments to label, in their order: sampled once and kept, so that comments added later change nothing."""
    plan = run.plan
    if not plan.comments:
        raise UserError(f"{plan.file.name}, comments: none are named", "gold is a sample of them: name their files")
    inputs = {"seed": plan.seed, "comments": [source.model_dump(mode="json") for source in plan.comments]}
    name = f"{FOLDER}/{fingerprint(inputs)}.parquet"
    if not run.files.exists(name):
        run.report.message("annotate: sampling the comments, stratified over time and source")
        _keep(run, name, _sample(plan))
    table = pq.read_table(run.files.fetch(name))
    totals = json.loads(table.schema.metadata[b"totals"])
    return StratifiedSample([SampledComment(**row) for row in table.to_pylist()], totals)


def _sample(plan: Plan) -> StratifiedSample:
    # no salt is needed: authors are not looked at here
    read = partial(read_comments, plan.comments, plan.base, plan.index.timezone, salt="")
    draw = stratified_sample(read, MOST, plan.seed, plan.index.timezone)
    if not draw.rows:
        raise UserError("comments: no comment with a text was found")
    return draw


def _keep(run: Run, name: str, draw: StratifiedSample) -> None:
    columns = {field: [getattr(row, field) for row in draw.rows] for field in ("id", "key", "text", "stratum")}
    table = pa.table(columns).replace_schema_metadata({"totals": json.dumps(draw.totals)})
    publish_table(run, name, table)
