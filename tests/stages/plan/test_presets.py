"""Plans to begin from: valid, with every key of the plan, and the same as the examples."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from cli import init
from stages.plan.presets import PRESETS, preset_text
from stages.plan.schema import Plan, read_plan

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
