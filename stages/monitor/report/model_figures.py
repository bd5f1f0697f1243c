"""What the line's page and the models' page show of the models: the table of results, and figures."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from stages.monitor.report.html_templates import render
from stages.monitor.report.messages import Text, message

FOLDER = "pictures"  # in the workspace's results
NAMES = ("confusion", "reliability", "figures", "courses", "labels", "words")


@dataclass(frozen=True)
class Picture:
    """name: one of NAMES, and of the file, without its ending. png: its bytes."""

    name: str
    png: bytes

    @property
    def title(self) -> Text:
        return message(f"figure.{self.name}")

    @property
    def base64(self) -> str:
        return b64encode(self.png).decode("ascii")


def kept_pictures(results: Path) -> list[Picture]:
    """Those in the results' folder, in the order of NAMES."""
    paths = {name: results / FOLDER / f"{name}.png" for name in NAMES}
    return [Picture(name, path.read_bytes()) for name, path in paths.items() if path.is_file()]


def pictures_html(pictures: Sequence[Picture]) -> Markup:
    """Figures with headings in both languages; each picture lies in the page itself."""
    return render("pictures.html.j2", pictures=pictures)


def results_table(results: Sequence[Mapping[str, object]]) -> Markup:
    """The models' scores as a table; nothing without rows. results: as in write_page."""
    return render("results.html.j2", results=results) if results else Markup()
