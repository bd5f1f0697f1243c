"""The arguments and options that several commands share, each with its help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.", show_default=False)]
Preset = Annotated[
    Literal["quickstart", "emotion-six", "korean-comments"], typer.Argument(help="The plan to begin with.")
]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the plan; repeatable.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
FORMER_STAGE_NAMES = {"basic": "search", "pseudo_label": "label"}  # of 0.1.0, in people's scripts


def _one_of(*stages: str) -> Callable[[str], str]:
    """A parser that takes these stages, and the names that 0.1.0 gave them."""

    def parse(value: str) -> str:
        stage = FORMER_STAGE_NAMES.get(value, value)
        if stage not in stages:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(map(repr, stages))}.")
        return stage

    return parse


StageName = Annotated[
    str | None,
    typer.Option(
        "--stage",
        help="Use this stage's model instead of the final one.",
        show_default=False,
        metavar="search|further|ensemble|distil",
        parser=_one_of("search", "further", "ensemble", "distil"),
    ),
]
StudyStage = Annotated[
    str,
    typer.Option(
        "--stage",
        help="The stage that the study is of.",
        metavar="search|further",
        parser=_one_of("search", "further"),
    ),
]
ModelName = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Use a kept trial: search/X/trial-0.", show_default=False)
]
Column = typer.Option(metavar="COLUMN", help="Also by the values of this column.", show_default=False)
Anew = Annotated[
    str | None,
    typer.Option(
        "--anew",
        help="Start this stage and those after it again; their trials are lost.",
        show_default=False,
        metavar="STAGE",
        parser=_one_of("adapt", "search", "label", "further", "ensemble", "distil", "infer", "monitor"),
    ),
]
ExportTo = Annotated[
    Path | None, typer.Option("--export", metavar="FILE", help="Write labels, or a sheet.", show_default=False)
]
ImportFrom = Annotated[Path | None, typer.Option("--import", metavar="FILE", help="Read labels.", show_default=False)]
Encoding = Annotated[str | None, typer.Option(help="A csv's encoding, if not UTF-8.", show_default=False)]
On = Annotated[
    Literal["ray"] | None,
    typer.Option("--on", help="Distribute shards over a Ray cluster: RAY_ADDRESS, or one on this machine."),
]
Workers = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that search in parallel.")]
Ablation = Annotated[
    bool, typer.Option("--ablation", help="Compare original data, pseudo-labels and both, over several seeds.")
]
Parameters = Annotated[
    list[str], typer.Argument(metavar="KEY=VALUE...", help="Parameters of the trial.", show_default=False)
]
Candidate = Annotated[str | None, typer.Option(help="The candidate, where the plan has several.", show_default=False)]
Forms = Annotated[
    list[str],
    typer.Option("--format", metavar="onnx|openvino", help="Also in this format; repeatable.", show_default=False),
]
Write = Annotated[bool, typer.Option("--write", help="Allow notes and deletions; else the store is read only.")]
