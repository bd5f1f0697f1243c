"""The model card: what the model is, how it loads, what it learnt from, how good it is and how surely, its limits."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stages.datasets.original_and_gold import read_gold, read_original
from stages.runtime.overview import table_rows
from stages.runtime.predictor import Predictor
from stages.runtime.run_context import Run
from storage.records import stage_records
from storage.records.model_registry import ModelRecord
from transfer.encoders.model import depth, load_config
from transfer.metrics.bootstrap import confusion_intervals

COMBINATION = "ensemble.json"
WARNING = "> **Simulation.** The labeller was a stand-in for an LLM; the figures below are a simulation's."
ALONE = "Combined models were tried as well; what came out of that is this single model, and no ensemble."
FIGURES = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier", "ece")
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
LIMITS = """\
It tells which emotion a text expresses, for shares over many texts. It says nothing of any one person,
diagnoses nobody, and is no tool against individuals. On text unlike that which it was judged on above,
expect less than these scores. Irony, quotations and mixed feelings are labelled by what prevails, often wrongly;
labels with few rows are the least certain, as their intervals show."""


def model_card(run: Run, predictor: Predictor, formats: Mapping[str, float]) -> str:
    """Markdown with the hub's front matter.

    formats: further forms beside the weights, and by how much their probabilities differ from torch's at most.
    """
    plan, judged = run.plan, _judged(run, predictor)
    parts = [
        f"---\n{_front_matter(run, predictor, judged)}\n---\n# {plan.name}: {predictor.name}",
        WARNING if _result(run, "label").get("simulation") else "",
        f"Labels: {', '.join(plan.labels)}. Made with moodline by two-stage transfer learning.",
        ALONE if [_result(run, "ensemble").get("alone")] == predictor.members else "",
        _section("Use", [*_usage(predictor), *_forms(formats)]),
        _section("Data", _data(run)),
        _section("Training", [f"- {line}" for record in predictor.records for line in _training(run, record)]),
        _section("Scores of this model", _scores(judged)),
        _section("All models of the run", _table([row.model_dump(mode="json") for row in table_rows(run)])),
        _section("Limits", [LIMITS]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(name: str, lines: Sequence[str]) -> str:
    return f"## {name}\n\n" + "\n".join(lines) if lines else ""


def _front_matter(run: Run, predictor: Predictor, judged: Mapping[str, Any]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    name = f"{run.plan.name}: {predictor.name}"
    results = [
        EvalResult(
            task_type="text-classification",
            dataset_type="custom",
            dataset_name=f"{run.plan.name}, {split}",
            dataset_split=split,  # or the hub's tools put all splits into one result
            metric_type=metric,
            metric_name=metric.replace("_", " "),
            metric_value=round(found[metric], 4),
        )
        for split, found in judged.items()
        for metric in ("accuracy", "macro_f1")
        if split != "validation"  # chosen by it
    ]
    names = dict.fromkeys(record.candidate for record in predictor.records)
    bases = [name for name in names if HUB_NAME.fullmatch(name) and not (run.plan.base / name).is_dir()]
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification",
        base_model=bases[0] if len(bases) == 1 else bases or None,
        tags=["emotion", "moodline"],
        model_name=name if results else None,
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def _usage(predictor: Predictor) -> list[str]:
    if len(predictor.records) > 1 or not predictor.how.is_plain:
        return [
            f"Each `member-*` loads as below, and `{COMBINATION}` says how their probabilities become one: "
            f"{_said(predictor)}.",
            *_snippet("FOLDER/member-1", predictor.records[0]),
        ]
    return _snippet("FOLDER", predictor.records[0])


def _said(predictor: Predictor) -> str:
    how = predictor.how
    by = {
        "weighted": "their mean by `weights`",
        "greedy": "their mean by `weights`",
        "stacking": "softmax of log-probabilities (clipped at 1e-4), member by member, times `coefficients`, plus "
        "`intercepts`",
    }
    first = "each is raised to 1 / its temperature and normalised; then " if how.temperatures else ""
    return first + by.get(how.how, f"their {how.how}, normalised")


def _snippet(folder: str, record: ModelRecord) -> list[str]:
    length = int(record.recipe["max_length"])
    return [
        "```python",
        "from transformers import pipeline",
        "",
        f'classify = pipeline("text-classification", "{folder}", top_k=None, truncation=True, max_length={length})',
        'print(classify("..."))',
        "```",
        "Texts are cleaned first: NFC, URLs as `http`, mentions as `@user`, repeated letters cut to three.",
    ]


def _forms(formats: Mapping[str, float]) -> list[str]:
    return [
        f"- as {form} in `{form}/` beside the weights: its probabilities are torch's to within {difference:.1g}"
        for form, difference in formats.items()
    ]


def _data(run: Run) -> list[str]:
    """What it was trained on, chosen by and reported on: rows and labels, and who labelled."""
    plan, gold = run.plan, read_gold(run)
    original = read_original(plan, {*gold.tune.keys, *gold.report.keys} if gold else ())
    splits = {"train": original.train, "validation (chooses)": original.validation}
    splits |= {"test (reports)": original.test} if original.test else {}
    splits |= {"gold, tune half (chooses)": gold.tune, "gold, report half (reports)": gold.report} if gold else {}
    lines = [f"| data | rows | {' | '.join(plan.labels)} |", f"|---|---|{'---|' * len(plan.labels)}"]
    for name, rows in splits.items():
        counts = (str(int((rows.labels == k).sum())) for k in range(len(plan.labels)))
        lines.append(f"| {name} | {len(rows):,} | {' | '.join(counts)} |")
    return [*lines, "", *_pseudo_labels(_result(run, "label"))]


def _pseudo_labels(told: Mapping[str, Any]) -> list[str]:
    if not told:
        return ["- pseudo-labels: none"]
    kappa = told.get("kappa")
    agreement = "not measured, without gold"
    if kappa:
        agreement = f"Cohen's κ with people {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"
    return [f"- pseudo-labels: {told['labelled']:,} comments by {told['labeller'].get('model')}; {agreement}"]


def _result(run: Run, stage: str) -> dict[str, Any]:
    """What a stage came to; nothing where it was not done."""
    record = stage_records.read(run.engine, run.plan.name, stage)
    return (record.result if record else None) or {}


def _training(run: Run, record: ModelRecord) -> list[str]:
    recipe = ", ".join(f"{name} {value}" for name, value in record.recipe.items())
    teacher = record.lineage.get("teacher")
    return [
        f"{record.name}: from {_encoder(run, record)}, {recipe}",
        *([f"{record.name}: learnt what the ensemble of {', '.join(teacher)} says"] if teacher else []),
        f"{record.name}: fingerprint {record.lineage.get('fingerprint')}, seed {record.lineage.get('seed')}",
    ]


def _encoder(run: Run, record: ModelRecord) -> str:
    """The candidate as the plan calls it, and what it is, for a folder's name says nothing elsewhere."""
    config = load_config(str(run.files.fetch(record.path)))
    return f"{record.candidate} ({config.model_type}, {depth(config)} layers of {config.hidden_size} units)"


def _judged(run: Run, predictor: Predictor) -> dict[str, Any]:
    """Figures of this very predictor by split, where a stage judged it; else those of its own trial on validation."""
    ensemble, distil = (_result(run, stage) for stage in ("ensemble", "distil"))
    kind = ensemble.get("final", {}).get("kind")
    shown = [(ensemble.get("members") if kind == "ensemble" else [ensemble.get("best_single")], ensemble)]
    shown += [([distil["winner"]["name"]], distil)] if distil else []
    for members, result in shown:
        if members == predictor.members and result.get("judged"):
            judged: dict[str, Any] = result["judged"]
            return judged
    if len(predictor.records) != 1:
        return {}
    own = predictor.records[0].metrics
    return {"validation": {**own, "intervals": confusion_intervals(own["confusion"], own["labels"])}}


def _scores(judged: Mapping[str, Any]) -> list[str]:
    lines = [
        f"| {split} | {found['n']:,} | {name} | {_figure(found, name)} |"
        for split, found in judged.items()
        for name in FIGURES
        if name in found
    ]
    if not lines:
        return []
    note = ["", "95 % bootstrap intervals. On validation the model was chosen: trust test and gold's report half."]
    labels = [line for split, found in judged.items() for line in _per_label(split, found)]
    return ["| split | rows | figure | value |", "|---|---|---|---|", *lines, *note, "", *labels]


def _figure(found: Mapping[str, Any], name: str) -> str:
    interval = found.get("intervals", {}).get(name)
    ends = f" ({interval['low']:.3f} to {interval['high']:.3f})" if interval else ""
    return f"{found[name]:.3f}{ends}"


def _per_label(split: str, found: Mapping[str, Any]) -> list[str]:
    own = found.get("intervals", {}).get("per_class", {})
    return [
        f"- {split}, {label}: F1 {v['f1']['value']:.3f} ({v['f1']['low']:.3f} to {v['f1']['high']:.3f})"
        for label, v in own.items()
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| model | split | n | accuracy | macro-F1 | 95 % interval |", "|---|---|---|---|---|---|"]
    return [*lines, *map(_row, rows)]


def _row(r: Mapping[str, Any]) -> str:
    interval = f"{r['low']:.3f} to {r['high']:.3f}" if r.get("low") is not None else ""
    return (
        f"| {r['model']} | {r['split']} | {r.get('n', '')} | {r['accuracy']:.3f} | {r['macro_f1']:.3f} | {interval} |"
    )
