"""The daily line: from the classified comments to a table, a picture and a page."""

from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.context_builder import context_of, covariate_fingerprints
from stages.monitor.gold_predictions import gold_fingerprint, gold_predictions
from stages.monitor.line_result import line_result
from stages.monitor.report.csv_parquet import write_context, write_csv, write_parquet, write_sources
from stages.monitor.report.html_page import write_page
from stages.monitor.report.model_figures import kept_pictures, pictures_html
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.line import Line
from stages.results.infer_result import InferResult
from stages.results.monitor_result import MonitorResult
from stages.runtime.predictor import final_predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint, read_result, run_stage
from stages.runtime.stage_order import table_rows
from stages.study_runs.table_rows import SIMULATED
from storage.records import stage_records

OUTPUTS = {
    "page": "index.html",
    "csv": "line.csv",
    "parquet": "line.parquet",
    "png": "line.png",
    "sources_csv": "sources.csv",
    "forecast_csv": "forecast.csv",
    "words_csv": "words.csv",
    "lineage_csv": "lineage.csv",
}


def run_monitor(run: Run) -> MonitorResult:
    """Estimates the line and writes its files; done before, it only looks whether the files are still there."""
    inferred = read_result(run, InferResult)
    parts = {
        "shards": inferred.shards,
        "model": inferred.model,
        "index": run.plan.index.model_dump(),
        "labels": run.plan.labels,
        "judged (content)": gold_fingerprint(run),
        "series and events (content)": covariate_fingerprints(run.plan),
        "results": fingerprint({"rows": _model_rows(run), "labeller": _labeller_facts(run)}),
        "moodline": [run.plan.name, version("moodline")],
        "seed": run.plan.seed,
        "extras": [name for name in ("ruptures", "statsmodels") if find_spec(name) is not None],
    }
    paths = {name: run.results / file for name, file in OUTPUTS.items()}
    work = partial(_estimate_and_write, run, inferred)
    result = run_stage(run, MonitorResult, parts, {}, work, lambda _: all(path.is_file() for path in paths.values()))
    return result.model_copy(update={name: str(path) for name, path in paths.items()})


def _estimate_and_write(run: Run, inferred: InferResult) -> MonitorResult:
    shards = [run.files.fetch(name) for name in inferred.shards]
    with run.report.bar("daily line", inferred.rows, "comments") as advance:
        line = daily_line(shards, run.plan.labels, run.plan.index, run.plan.seed, advance, gold_predictions(run))
    folder = run.results
    folder.mkdir(parents=True, exist_ok=True)
    facts = _facts(run, inferred, line)
    write_csv(line, folder / OUTPUTS["csv"])
    write_parquet(line, folder / OUTPUTS["parquet"])
    write_sources(line, folder / OUTPUTS["sources_csv"])
    context = context_of(run, line, inferred.shards, shards)
    write_context(line, context, folder)
    notice = SIMULATED if "simulation" in facts else None
    draw_png(line, folder / OUTPUTS["png"], title=run.plan.name, notice=notice, context=context)
    pictures = pictures_html(kept_pictures(folder))
    write_page(line, _model_rows(run), facts, folder / OUTPUTS["page"], context=context, pictures=pictures)
    return line_result(line, context)


def _facts(run: Run, inferred: InferResult, line: Line) -> dict[str, dict[str, object]]:
    """How the line came about, for the page: see write_page."""
    data = {
        "comments": inferred.rows,
        "different texts": inferred.unique,
        "left out": inferred.skipped,
        "without a date": line.undated,
    }
    facts: dict[str, dict[str, object]] = {"plan": {"name": run.plan.name}, "data": data, **_labeller_facts(run)}
    records = stage_records.read_all(run.engine, run.plan.name)
    stages = {r.stage: r.fingerprint for r in records if r.stage != MonitorResult.stage}
    return facts | {"lineage": {"predictor": inferred.model} | _members(run) | stages}


def _model_rows(run: Run) -> list[dict[str, Any]]:
    return [row.as_json() for row in table_rows(run)]


def _members(run: Run) -> dict[str, object]:
    """Each model behind the predictor: its study and trial, its fingerprint, and those of the data that made it."""
    return {
        f"model {record.name}": [
            f"{record.study}, trial {record.trial}" if record.study is not None else record.stage,
            str(record.lineage.get("fingerprint")),
            {key: value for key, value in record.lineage.get("parts", {}).items() if key.endswith("(content)")},
        ]
        for record in final_predictor(run).records
    }


def _labeller_facts(run: Run) -> dict[str, dict[str, object]]:
    record = stage_records.read(run.engine, run.plan.name, "label")
    if record is None or record.result is None:
        return {}
    result = record.result
    labeller = {"model": result["labeller"].get("model"), "kappa": result["kappa"], "labelled": result["labelled"]}
    if not result["simulation"]:
        return {"labeller": labeller}
    warning = "The labeller is a stand-in for an LLM, and the figures are those of a simulation."
    return {"labeller": labeller, "simulation": {"labeller": warning}}
