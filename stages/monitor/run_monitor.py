"""The daily line: from the classified comments to a table, a picture and a page."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.analysis.change_points import changes
from stages.monitor.analysis.weight_sensitivity import sensitivity
from stages.monitor.context_builder import beside_identity, context_json, context_of
from stages.monitor.gold_predictions import judged_identity, judged_rows
from stages.monitor.report.context_csv import write_context
from stages.monitor.report.csv_parquet import write_csv, write_parquet, write_sources
from stages.monitor.report.html_page import write_page
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, as_json, totals_json
from stages.reports.report_figures import kept_pictures, pictures_html
from stages.runtime.overview import table_rows
from stages.runtime.predictor import final_predictor
from stages.runtime.progress import Advance
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, fingerprint, result_of
from stages.study_runs.table_rows import SIMULATED
from storage.records import stage_records

STAGE = "monitor"
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


def run_monitor(run: Run) -> dict[str, Any]:
    """Draws the line. The result has `page`, `csv`, `parquet`, `png`, `undated`, `periods`, `prevalence` (which
    estimate is drawn, and why), `overall`, `sources`, `removed`, `changes`, `sensitivity`, `series`, `events`,
    `forecast`, `words`, and the paths of their files, `sources_csv`, `forecast_csv`, `words_csv`, `lineage_csv`."""
    inferred = result_of(run, "infer")
    parts = {
        "shards": inferred["shards"],
        "model": inferred["model"],
        "index": run.plan.index.model_dump(),
        "labels": run.plan.labels,
        "judged (content)": judged_identity(run),
        "series and events (content)": beside_identity(run.plan),
        "results": fingerprint({"rows": rows_of(run), "labeller": _labeller_facts(run)}),
        "moodline": [run.plan.name, version("moodline")],
        "seed": run.plan.seed,
        "extras": [name for name in ("ruptures", "statsmodels") if find_spec(name) is not None],
    }
    result = do_stage(run, STAGE, parts, {}, partial(_draw, run, inferred), is_there=lambda _: _outputs_there(run))
    return result | {name: str(run.results / file) for name, file in OUTPUTS.items()}


def _draw(run: Run, inferred: Mapping[str, Any]) -> dict[str, Any]:
    shards = [run.files.fetch(name) for name in inferred["shards"]]
    with run.report.bar("daily line", inferred["rows"], "comments") as advance:
        line = daily_line(shards, run.plan.labels, run.plan.index, run.plan.seed, _steps(advance), judged_rows(run))
    folder = run.results
    folder.mkdir(parents=True, exist_ok=True)
    facts = _facts(run, inferred, line)
    write_csv(line, folder / OUTPUTS["csv"])
    write_parquet(line, folder / OUTPUTS["parquet"])
    write_sources(line, folder / OUTPUTS["sources_csv"])
    context = context_of(run, line, inferred["shards"], shards)
    write_context(line, context, folder)
    notice = SIMULATED if "simulation" in facts else None
    draw_png(line, folder / OUTPUTS["png"], title=run.plan.name, notice=notice, context=context)
    pictures = pictures_html(kept_pictures(run))
    write_page(line, rows_of(run), facts, folder / OUTPUTS["page"], context=context, pictures=pictures)
    course = {
        "changes": {every: _changes(line, every) for every in run.plan.index.every},
        "sensitivity": (found := sensitivity(line)) and asdict(found),
        **context_json(context),
    }
    return {"undated": line.undated, "periods": as_json(line), **totals_json(line), **course}


def _changes(line: Line, every: Every) -> list[dict[str, object]]:
    return [{"start": str(c.start), "before": c.before, "after": c.after} for c in changes(line, every)]


def _steps(advance: Advance) -> Callable[[int, int], None]:
    """The bar counts what was done since; the line tells what was done in all."""
    before = 0

    def progress(done: int, total: int) -> None:
        nonlocal before
        advance(done - before)
        before = done

    return progress


def _facts(run: Run, inferred: Mapping[str, Any], line: Line) -> dict[str, dict[str, object]]:
    """What the page tells about how the line came about."""
    facts: dict[str, dict[str, object]] = {"plan": {"name": run.plan.name}, "data": _data(inferred, line)}
    facts |= _labeller_facts(run)
    records = stage_records.read_all(run.engine, run.plan.name)
    stages = {r.stage: r.fingerprint for r in records if r.stage != STAGE}
    facts["lineage"] = {"predictor": inferred["model"]} | _members(run) | stages
    return facts


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
    told = record.result
    facts: dict[str, dict[str, object]] = {
        "labeller": {"model": told["labeller"].get("model"), "kappa": told["kappa"], "labelled": told["labelled"]}
    }
    if told["simulation"]:
        warning = "The labeller is a stand-in for an LLM, and the figures are those of a simulation."
        facts["simulation"] = {"labeller": warning}
    return facts


def _data(inferred: Mapping[str, Any], line: Line) -> dict[str, object]:
    return {
        "comments": inferred["rows"],
        "different texts": inferred["unique"],
        "left out": inferred["skipped"],
        "without a date": line.undated,
    }


def _outputs_there(run: Run) -> bool:
    """One that was deleted is made again."""
    return all((run.results / file).is_file() for file in OUTPUTS.values())


def rows_of(run: Run) -> list[dict[str, Any]]:
    return [row.model_dump(mode="json") for row in table_rows(run)]
