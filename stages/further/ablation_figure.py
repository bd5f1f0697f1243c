"""The ablation as one picture: each arm's mean with its interval and its seeds, a panel for each split."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stages.results.further_result import ArmScores
from storage.files.atomic_write import write_whole
from studies.figures.fonts import picture_fonts

DPI = 150
WIDTH, ROW, AROUND = 10.0, 0.42, 1.75  # inches: the picture's width, an arm's height, and what stands above and below
INK, GREY, BLUE = "#222222", "#777777", "#0072B2"
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": INK,
    "font.size": 10,
}


def draw_ablation(rows: Sequence[ArmScores], path: Path, title: str, notice: str | None) -> None:
    """Writes the picture, 1,500 pixels wide. notice: a warning, set below the axes."""
    splits = list(dict.fromkeys(row.split for row in rows))
    arms = list(dict.fromkeys(row.model for row in rows))
    with rc_context({**picture_fonts(), **STYLE}):
        figure = Figure(figsize=(WIDTH, AROUND + ROW * len(arms)))
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(splits), sharey=True, squeeze=False)[0]
        for axes, split in zip(panels, splits, strict=True):
            _draw_split(axes, [row for row in rows if row.split == split], arms)
        panels[0].set_yticks(range(len(arms)), arms)
        panels[0].set_ylim(len(arms) - 0.5, -0.5)
        height = figure.get_figheight()
        figure.text(0.01, 1 - 0.1 / height, title, va="top", fontsize=11, color=INK)
        legend = "bars: 95 %, seeds and texts resampled; small points: single seeds"
        below = f"{notice}. {legend}" if notice else legend
        figure.text(0.01, 0.08 / height, below, fontsize=8.5, color=GREY, va="bottom")
        figure.tight_layout(rect=(0, 0.28 / height, 1, 1 - 0.35 / height))
        png = BytesIO()
        figure.savefig(png, format="png", dpi=DPI, facecolor="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png.getvalue())


def _draw_split(axes: Axes, rows: Sequence[ArmScores], arms: Sequence[str]) -> None:
    for row in rows:
        at = arms.index(row.model)
        axes.plot([row.low, row.high], [at, at], color=BLUE, linewidth=2.2, solid_capstyle="butt")
        axes.plot(row.values, [at + 0.2] * len(row.values), "o", color=GREY, markersize=3, alpha=0.8)
        axes.plot(row.macro_f1, at, "o", color=BLUE, markersize=7)
        axes.annotate(f"{row.macro_f1:.3f}", (row.macro_f1, at), (0, 7), textcoords="offset points", ha="center")
    axes.set_title(f"{rows[0].split} ({rows[0].n:,})", fontsize=10, color=INK, loc="left")
    axes.set_xlabel("macro-F1", color=GREY)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
