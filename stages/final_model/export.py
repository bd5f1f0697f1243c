"""`moodline export`: the final predictor as folders that transformers loads, with a model card."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from stages.datasets.run_data import data_of
from stages.final_model.model_card import COMBINATION, is_one_model, model_card
from stages.results.stage_result import Record
from stages.runtime.predictor import Predictor, final_predictor
from stages.runtime.run_context import Run
from transfer.engines.convert import FILES, Format, require
from transfer.engines.export_check import convert_checked
from transfer.errors import UserError


class ExportResult(Record):
    """folder: as it was named. predictor: its name, with those of its members. formats: by further form of the weights,
    the largest difference of its probabilities from torch's."""

    folder: str
    predictor: str
    members: list[str]
    formats: dict[str, float]


CHECKED = 64  # validation texts on which a converted model is compared with torch


def run_export(
    run: Run, folder: Path, stage: str | None = None, model: str | None = None, formats: Sequence[str] = ()
) -> ExportResult:
    """Writes the final predictor, one stage's, or a kept model to a folder that is new or empty.

    One model: the folder itself loads with AutoModelForSequenceClassification and transformers' pipeline. An ensemble:
    a folder for each member, and ensemble.json, which states how their probabilities are combined. formats: each model
    also as ONNX or OpenVINO, in a folder of that name beside its weights. Raises UserError where the folder holds
    something, and where a converted model's probabilities differ from torch's.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: is there already, and not empty", "name a new folder, or empty this one")
    forms = _forms(formats)
    predictor = final_predictor(run, stage, model)
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        differences = _write(run, predictor, part, forms)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ExportResult(folder=str(folder), predictor=predictor.name, members=predictor.members, formats=differences)


def _forms(names: Sequence[str]) -> list[Format]:
    """Raises UserError for a form that there is not, or whose extra is not installed."""
    forms: list[Format] = [form for form in FILES if form in names]
    unknown = sorted(set(names) - set(forms))
    if unknown:
        raise UserError(f"--format {unknown[0]}: there is no such form", f"known are: {', '.join(FILES)}")
    for form in forms:
        require(form)
    return forms


def _write(run: Run, predictor: Predictor, folder: Path, formats: Sequence[Format]) -> dict[str, float]:
    """Weights, converted models and the card; by form, the largest difference of probabilities from torch's."""
    if is_one_model(predictor):
        places = [folder]
    else:
        names = [f"member-{i + 1}" for i in range(len(predictor.records))]
        places = [folder / name for name in names]
        how = predictor.how.as_dict()
        combination = {"members": names, "combine": how.pop("how"), "labels": run.plan.labels, **how}
        (folder / COMBINATION).write_text(json.dumps(combination, ensure_ascii=False, indent=2), encoding="utf-8")
    for place, record in zip(places, predictor.records, strict=True):
        source, left = run.files.fetch(record.path), shutil.ignore_patterns("probabilities")
        shutil.copytree(source, place, dirs_exist_ok=True, ignore=left)
    texts = data_of(run).all_original.validation.texts[:CHECKED] if formats else []
    differences: dict[str, float] = {form: max(_converted(run, places, predictor, form, texts)) for form in formats}
    (folder / "README.md").write_text(model_card(run, predictor, differences), encoding="utf-8")
    return differences


def _converted(
    run: Run, places: Sequence[Path], predictor: Predictor, form: Format, texts: Sequence[str]
) -> list[float]:
    differences = []
    for place, record in zip(places, predictor.records, strict=True):
        differences.append(convert_checked(place, form, texts, int(record.recipe["max_length"])))
        run.report.message(f"{record.name} as {form}: agrees with torch on {len(texts)} texts to {differences[-1]:.1g}")
    return differences
