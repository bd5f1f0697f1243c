"""Plans to begin from: valid, with every key of the plan, and the same as the examples."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from cli import init
from stages.plan.plan_fields import fields_of
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.presets import PRESETS, preset_text
from stages.plan.schema import Plan, read_plan
from transfer.labellers.labeller_settings import LabellerSettings

ROOT = Path(__file__).parents[3]


def read_text(folder: Path, text: str) -> Plan:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_is_a_valid_plan_and_its_example_is_current(tmp_path: Path, preset: str) -> None:
    text = preset_text(preset)
    assert read_text(tmp_path, text).name == preset
    example = ROOT / "examples" / f"{preset}.yaml"
    assert example.read_text(encoding="utf-8") == text, f"write it again: moodline init {preset}"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_key_of_the_plan_stands_in_a_preset_with_its_true_default(tmp_path: Path, preset: str) -> None:
    text = preset_text(preset)
    for name in Plan.model_fields:
        assert f"{name}:" in text
    everything = "\n".join(line.removeprefix("# ") for line in text.splitlines()[3:] if line.startswith("# "))
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert read_text(tmp_path, f"{kept}\n{everything}\n") == read_text(tmp_path, text)


def test_the_command_offers_all_presets_and_there_are_no_others() -> None:
    found = {path.stem for path in (ROOT / "stages" / "plan" / "preset_files").iterdir()}
    assert found == set(PRESETS) == set(get_args(get_type_hints(init)["preset"]))


def test_a_models_keys_are_read_with_their_defaults_and_the_models_behind_them() -> None:
    fields = {field.name: field for field in fields_of(Plan)}
    assert fields["name"].is_required
    assert fields["seed"].default == 13
    assert fields["pseudo_label"].models == (PseudoLabelSettings,)
    assert fields["pseudo_label"].is_union
    labellers = {field.name: field.models for field in fields_of(PseudoLabelSettings)}["labellers"]
    assert labellers == (LabellerSettings,)


def test_dimensions_of_a_search_space_are_no_keys_of_their_own() -> None:
    search = next(field for field in fields_of(Plan) if field.name == "search").models[0]
    assert next(field for field in fields_of(search) if field.name == "space").models == ()
