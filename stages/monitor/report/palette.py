"""Colours and line styles of the labels: distinct for the colour-blind, and with a second sign where colours repeat.

Okabe and Ito, Color universal design (2008). Black is left to the index, yellow out: it cannot be read on white.
"""

from dataclasses import dataclass

from stages.monitor.schema.line import Line, prominent

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# (matplotlib's name, plotly's name): a colour that comes again comes with the next one
DASHES = (("solid", "solid"), ("dashed", "dash"), ("dotted", "dot"), ("dashdot", "dashdot"))


@dataclass(frozen=True)
class Look:
    """colour: #RRGGBB. dash, web_dash: the line style in matplotlib's and plotly's words."""

    colour: str
    dash: str
    web_dash: str


def looks(line: Line) -> dict[str, Look]:
    """One look per label, the same in picture and page. The labels shown first get the clearest ones."""
    shown = prominent(line)
    found = {}
    for i, label in enumerate([*shown, *(label for label in line.labels if label not in shown)]):
        dash, web_dash = DASHES[i // len(COLOURS) % len(DASHES)]
        found[label] = Look(COLOURS[i % len(COLOURS)], dash, web_dash)
    return {label: found[label] for label in line.labels}
