"""The floors of the house: imports go down, without circles, stages import no stages, and the docs are true."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FLOORS = ("cli", "stages", "studies", "transfer", "storage")
MAY_IMPORT = {
    "cli": {"stages", "storage", "transfer"},
    "stages": {"stages", "studies", "transfer", "storage"},
    "studies": {"studies", "transfer", "storage"},
    "transfer": {"transfer"},
    "storage": {"storage"},
}
STAGES = ("adapt", "search", "label", "further", "ensemble", "distil", "infer", "monitor")
MOST_FILES = 19  # in one folder
LONGEST_CHAIN = 12  # of imports inside stages
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


@cache
def modules() -> dict[str, Path]:
    """All of the product's modules by dotted name."""
    paths = [ROOT / "cli.py", *(path for floor in FLOORS[1:] for path in sorted((ROOT / floor).rglob("*.py")))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def imports(module: str) -> frozenset[str]:
    """Dotted names of all that a module imports, wherever in it."""
    found = set[str]()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(inner & modules().keys() or {str(node.module)})
    return frozenset(found)


def ours(module: str) -> frozenset[str]:
    return imports(module) & modules().keys()


def package(module: str) -> str:
    return module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]


def find_circle(graph: dict[str, set[str]]) -> str | None:
    """A circle in the graph, as "a -> b -> a"; None where there is none."""
    done: set[str] = set()

    def walk(node: str, trail: tuple[str, ...]) -> str | None:
        if node in trail:
            return " -> ".join((*trail[trail.index(node) :], node))
        if node in done:
            return None
        done.add(node)
        return next((found for other in sorted(graph[node]) if (found := walk(other, (*trail, node)))), None)

    return next((found for node in sorted(graph) if (found := walk(node, ()))), None)


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down(floor: str) -> None:
    for module in (module for module in modules() if module.split(".")[0] == floor):
        wrong = {name.split(".")[0] for name in imports(module)} & set(FLOORS) - MAY_IMPORT[floor]
        assert not wrong, f"{module} may not import {wrong}"


def test_transfer_knows_neither_optuna_nor_a_database() -> None:
    for module in (module for module in modules() if module.startswith("transfer")):
        assert not {name.split(".")[0] for name in imports(module)} & {"optuna", "sqlalchemy"}, module


def test_files_form_no_circle() -> None:
    assert find_circle({module: set(ours(module)) for module in modules()}) is None


def test_packages_form_no_circle() -> None:
    """A package and those inside it are one here: stages and stages.plan may know each other, plan and runtime not."""
    graph: dict[str, set[str]] = {package(module): set() for module in modules() if module != "cli"}
    for module in graph_modules():
        others = {package(other) for other in ours(module) if other != "cli"}
        graph[package(module)] |= {other for other in others if not _nested(package(module), other)}
    assert find_circle(graph) is None


def graph_modules() -> Iterator[str]:
    return (module for module in modules() if module != "cli")


def _nested(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def test_the_pipeline_alone_imports_stages() -> None:
    for module in (module for module in modules() if module.startswith("stages.")):
        own = module.split(".")[1]
        if own in STAGES:
            wrong = {other for other in ours(module) if other.split(".")[1:2] and other.split(".")[1] in STAGES}
            wrong = {other for other in wrong if other.split(".")[1] != own}
            assert not wrong, f"{module} imports code of another stage: {wrong}; read its result (stages/results)"


def test_no_chain_of_imports_inside_stages_is_long() -> None:
    @cache
    def chain(module: str) -> tuple[str, ...]:
        inside = (other for other in ours(module) if other.startswith("stages"))
        return (module, *max(map(chain, inside), key=len, default=()))

    longest = max((chain(module) for module in modules() if module.startswith("stages")), key=len)
    assert len(longest) <= LONGEST_CHAIN, " -> ".join(longest)


def test_folders_are_small() -> None:
    for folder in {path.parent for path in modules().values()} - {ROOT}:
        files = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES, f"{folder.relative_to(ROOT)} has {len(files)} files"


def test_the_plan_is_light_to_import() -> None:
    """The plan, and with it `moodline check` of a wrong one, must not wait for torch."""
    code = f"import sys, stages.plan.schema; print(sorted({HEAVY!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_the_generic_names_belong_to_moodline_alone() -> None:
    owners = packages_distributions()
    for name in FLOORS:
        assert set(owners[name]) == {"moodline"}, name


def test_every_file_is_short_and_says_what_it_is_for() -> None:
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        if text:
            assert len(text.splitlines()) <= 400, path
            assert ast.get_docstring(ast.parse(text)), f"{path} begins with what it is for"


def diagrams() -> list[tuple[dict[str, str], list[tuple[str, str]]]]:
    """Boxes (name to path) and arrows of each picture in docs/architecture.md."""
    found = []
    for picture in re.findall(r"```mermaid\n(.*?)```", ARCHITECTURE, flags=re.DOTALL):
        boxes = dict(re.findall(r'(\w+)\["([^"]+)"\]', picture))
        arrows = re.findall(r"^\s*(\w+)(?:\[[^\]]*\])? --> (\w+)", picture, flags=re.MULTILINE)
        found.append((boxes, arrows))
    return found


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def test_each_box_of_the_pictures_is_a_module_and_each_arrow_has_two_boxes() -> None:
    assert len(diagrams()) == 2
    for boxes, arrows in diagrams():
        assert len(arrows) > 10
        assert {module_of(path) for path in boxes.values()} <= modules().keys()
        assert {name for arrow in arrows for name in arrow} == boxes.keys()


def test_the_way_of_a_plan_is_a_way_of_imports() -> None:
    boxes, arrows = diagrams()[0]
    for start, end in arrows:
        assert module_of(boxes[end]) in imports(module_of(boxes[start])), f"{boxes[start]} does not import {boxes[end]}"


def test_the_way_of_a_comment_leads_through_files_that_know_each_other() -> None:
    """Data goes from one file to another where one imports the other, or a third hands it on."""
    boxes, arrows = diagrams()[1]
    for start, end in arrows:
        both = {module_of(boxes[start]), module_of(boxes[end])}
        assert any(both <= ours(module) | {module} for module in modules()), f"{boxes[start]} -> {boxes[end]}"


def test_where_to_change_what_names_files_that_are_there() -> None:
    table = ARCHITECTURE.split("## Where to change what")[1]
    named = re.findall(r"`([\w./]+/[\w./]*)`", table)
    assert len(named) > 25
    for path in named:
        assert (ROOT / path).exists(), path
