"""The model card: what the model is, how to load it, its training data, its scores with their intervals, its limits.

Its wording stands in model_card_template.md; here its figures are collected.
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from stages.datasets.run_data import data_of
from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import EnsembleResult
from stages.results.evaluation_result import EvaluationReport
from stages.results.label_result import LabelResult
from stages.runtime.predictor import Predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import find_result
from stages.runtime.stage_order import table_rows
from storage.records.model_registry import ModelRecord
from transfer.corpus.labelled import Labelled
from transfer.encoders.model import depth, load_config
from transfer.metrics.bootstrap import confusion_intervals

COMBINATION = "ensemble.json"
FIGURES = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier", "ece")
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
RULES = {
    "weighted": "their mean by `weights`",
    "greedy": "their mean by `weights`",
    "stacking": "softmax of log-probabilities (clipped at 1e-4), member by member, times `coefficients`, plus "
    "`intercepts`",
}


def model_card(run: Run, predictor: Predictor, formats: Mapping[str, float]) -> str:
    """Markdown with the hub's front matter.

    formats: further forms beside the weights, and the largest difference of their probabilities from torch's.
    """
    ensemble, labelling = find_result(run, EnsembleResult), find_result(run, LabelResult)
    reports = reports_of(run, predictor)
    combination = None if is_one_model(predictor) else _combination(predictor)
    return render(
        front_matter=_front_matter(run, predictor, reports),
        title=f"{run.plan.name}: {predictor.name}",
        is_simulation=labelling is not None and labelling.simulation,
        labels=run.plan.labels,
        is_single_after_combining=ensemble is not None and [ensemble.alone] == predictor.members,
        combination=combination,
        combination_file=COMBINATION,
        folder="FOLDER/member-1" if combination else "FOLDER",
        max_length=int(predictor.records[0].recipe["max_length"]),
        formats=formats,
        data=_label_counts(run),
        labelling=labelling,
        models=[(record, _encoder(run, record)) for record in predictor.records],
        reports=reports,
        figures=FIGURES,
        rows=table_rows(run),
    )


def render(**facts: Any) -> str:
    """The template filled in. Raises jinja2.UndefinedError where a fact is missing."""
    environment = Environment(
        loader=PackageLoader("stages.final_model", ""),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    return environment.get_template("model_card_template.md").render(**facts)


def is_one_model(predictor: Predictor) -> bool:
    """Whether it is exported as one folder that loads by itself, and not as members to combine."""
    return len(predictor.records) == 1 and predictor.how.is_plain


def reports_of(run: Run, predictor: Predictor) -> dict[str, Mapping[str, Any]]:
    """Evaluation reports of this very predictor by split, as a stage made them; else that of its own trial on
    validation, which has no figures of probabilities but the log loss."""
    ensemble, distil = find_result(run, EnsembleResult), find_result(run, DistilResult)
    made = list[tuple[list[str], dict[str, EvaluationReport]]]()
    if ensemble:
        own_members = ensemble.members if ensemble.final.kind == "ensemble" else [ensemble.best_single]
        made.append((own_members, ensemble.judged))
    if distil:
        made.append(([distil.winner.name], distil.judged))
    for members, reports in made:
        if members == predictor.members and reports:
            return {split: report.model_dump() for split, report in reports.items()}
    if len(predictor.records) != 1:
        return {}
    own = predictor.records[0].metrics
    return {"validation": {**own, "intervals": confusion_intervals(own["confusion"], own["labels"])}}


def _front_matter(run: Run, predictor: Predictor, reports: Mapping[str, Mapping[str, Any]]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="text-classification",
            dataset_type="custom",
            dataset_name=f"{run.plan.name}, {split}",
            dataset_split=split,  # or the hub's tools put all splits into one result
            metric_type=metric,
            metric_name=metric.replace("_", " "),
            metric_value=round(report[metric], 4),
        )
        for split, report in reports.items()
        for metric in ("accuracy", "macro_f1")
        if split != "validation"  # the model was selected on it
    ]
    names = dict.fromkeys(record.candidate for record in predictor.records)
    bases = [name for name in names if HUB_NAME.fullmatch(name) and not (run.plan.base / name).is_dir()]
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification",
        base_model=bases[0] if len(bases) == 1 else bases or None,
        tags=["emotion", "moodline"],
        model_name=f"{run.plan.name}: {predictor.name}" if results else None,
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def _combination(predictor: Predictor) -> str:
    how = predictor.how
    first = "each is raised to 1 / its temperature and normalised; then " if how.temperatures else ""
    return first + RULES.get(how.how, f"their {how.how}, normalised")


def _label_counts(run: Run) -> dict[str, list[int]]:
    """Rows by label of what the model was trained on, selected by and is reported on, by the name of the data."""
    gold, original = data_of(run).gold, data_of(run).original
    splits: dict[str, Labelled | None] = {
        "train": original.train,
        "validation (chooses)": original.validation,
        "test (reports)": original.test,
        "gold, tune half (chooses)": gold.tune if gold else None,
        "gold, report half (reports)": gold.report if gold else None,
    }
    every = range(len(run.plan.labels))
    return {name: [int((rows.labels == k).sum()) for k in every] for name, rows in splits.items() if rows}


def _encoder(run: Run, record: ModelRecord) -> str:
    """The candidate as the plan names it, and its size, for a folder's name means nothing on another machine."""
    config = load_config(str(run.files.fetch(record.path)))
    return f"{record.candidate} ({config.model_type}, {depth(config)} layers of {config.hidden_size} units)"
