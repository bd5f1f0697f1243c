"""The comments that people are to label: a stratified random sample, taken once and kept."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.comment_samples import draw_comments, publish_table
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint
from transfer.corpus.stratified_sampling import SampledComment, StratifiedSample
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
        _sample(run, name)
    table = pq.read_table(run.files.fetch(name))
    totals = json.loads(table.schema.metadata[b"totals"])
    return StratifiedSample([SampledComment(**row) for row in table.to_pylist()], totals)


def _sample(run: Run, name: str) -> None:
    draw = draw_comments(run.plan, MOST)
    if not draw.rows:
        raise UserError("comments: no comment with a text was found")
    columns = {field: [getattr(row, field) for row in draw.rows] for field in ("id", "key", "text", "stratum")}
    publish_table(run, name, pa.table(columns).replace_schema_metadata({"totals": json.dumps(draw.totals)}))
