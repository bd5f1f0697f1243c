"""Options of the command line that several commands have, or that need a line or two."""

from pathlib import Path
from typing import Annotated, Literal

import typer

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.", show_default=False)]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the plan; repeatable.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
StageName = Annotated[
    Literal["basic", "further", "ensemble"] | None,
    typer.Option("--stage", help="Use this stage's model instead of the final one.", show_default=False),
]
Anew = Annotated[
    Literal["basic", "pseudo_label", "further", "ensemble", "infer", "monitor"] | None,
    typer.Option("--anew", help="Begin this stage and those after it again; its trials are lost.", show_default=False),
]
ExportTo = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE", help="Write labels, or a sheet for them.", show_default=False),
]
ImportFrom = Annotated[
    Path | None, typer.Option("--import", metavar="FILE", help="Read labels from such a file.", show_default=False)
]
Encoding = Annotated[str | None, typer.Option(help="A csv's encoding, if not UTF-8.", show_default=False)]
Workers = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that share the search.")]
