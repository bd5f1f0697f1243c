"""The floors of the house: arrows go down, transfer and storage do not know each other, the names are ours alone."""

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ("cli", "stages", "studies", "transfer", "storage")
MAY_IMPORT = {
    "cli": {"stages", "storage", "transfer"},
    "stages": {"stages", "studies", "transfer", "storage"},
    "studies": {"studies", "transfer", "storage"},
    "transfer": {"transfer"},
    "storage": {"storage"},
}
HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "optuna",
    "pyarrow",
    "sklearn",
    "matplotlib",
    "plotly",
    "openai",
    "pandas",
}


def modules(room: str) -> list[Path]:
    return [ROOT / "cli.py"] if room == "cli" else sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Top-level names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield str(node.module).split(".")[0]


@pytest.mark.parametrize("room", HOUSE)
def test_arrows_go_down(room: str) -> None:
    for path in modules(room):
        wrong = set(imports(path)) & set(HOUSE) - MAY_IMPORT[room]
        assert not wrong, f"{path.relative_to(ROOT)} may not import {wrong}"


def test_transfer_knows_neither_optuna_nor_a_database() -> None:
    for path in modules("transfer"):
        assert not set(imports(path)) & {"optuna", "sqlalchemy"}, path


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): set(_ours_at_top(path))
        for room in HOUSE
        for path in modules(room)
    }
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"circle: {' -> '.join((*trail, module))}"
        if module not in done:
            for other in graph.get(module, ()):
                walk(other, (*trail, module))
            done.add(module)

    for module in graph:
        walk(module, ())


def _ours_at_top(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in HOUSE:
            yield str(node.module)


def test_the_plan_is_light_to_import() -> None:
    """The plan, and with it `moodline check` of a wrong one, must not wait for torch."""
    import subprocess
    import sys

    code = f"import sys, stages.plan.schema; print(sorted({HEAVY!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_the_generic_names_belong_to_moodline_alone() -> None:
    owners = packages_distributions()
    for name in HOUSE:
        assert set(owners[name]) == {"moodline"}, name


def test_every_file_is_short_and_says_what_it_is_for() -> None:
    for room in HOUSE:
        for path in modules(room):
            text = path.read_text(encoding="utf-8")
            if text:
                assert len(text.splitlines()) <= 400, path
                assert ast.get_docstring(ast.parse(text)), f"{path} begins with what it is for"
