"""The figures behind the page's plots, as plain data that page.js draws."""

from collections.abc import Sequence
from datetime import timedelta

from stages.line.changes import changes
from stages.line.days import MIDDLE
from stages.line.palette import looks
from stages.line.series import Estimate, Line, Period, headline, periods_of, prominent
from stages.line.settings import Every
from stages.line.words import COMMENTS, METHODS, VOLUME, index_name


def line_data(line: Line) -> dict[str, object]:
    """All that page.js reads: labels with their looks, words in both languages, and per length of period columns of
    equal length, null in gaps. Shares are in per cent, 0 to 100, as the index is.
    """
    look, shown = looks(line), prominent(line)
    return {
        "labels": [
            {
                "name": label,
                "colour": look[label].colour,
                "dash": look[label].web_dash,
                "isShown": label in shown,
            }
            for label in line.labels
        ],
        "hasIndex": line.settings.weights is not None,
        "first": headline(line),
        "lengths": line.settings.every,
        "words": {
            "index": index_name(line.settings),
            "comments": COMMENTS,
            "volume": VOLUME,
            "beside": METHODS[line.beside] if line.beside else None,
        },
        "periods": {every: _columns(line, every) for every in line.settings.every},
    }


def _columns(line: Line, every: Every) -> dict[str, object]:
    periods = periods_of(line, every)
    middle = timedelta(days=MIDDLE[every])
    return {
        "x": [(period.start + middle).isoformat() for period in periods],
        "n": [period.n for period in periods],
        "index": _bands([period.index for period in periods], 1),
        "shares": [_bands([period.shares[label] for period in periods], 100) for label in line.labels],
        "isGap": [period.is_gap for period in periods],
        "beside": _beside(line, periods),
        "changes": [change.start.isoformat() for change in changes(line, every)],
    }


def _beside(line: Line, periods: Sequence[Period]) -> dict[str, object] | None:
    """The thin line's values; None where there is no other estimate."""
    if line.beside is None:
        return None
    found = [period.methods.get(line.beside) for period in periods]
    return {
        "index": [_value(figures.index if figures else None, 1) for figures in found],
        "shares": [
            [_value(figures.shares[label] if figures else None, 100) for figures in found] for label in line.labels
        ],
    }


def _value(estimate: Estimate | None, scale: float) -> float | None:
    return _scaled(estimate.value if estimate else None, scale)


def _bands(found: Sequence[Estimate | None], scale: float) -> dict[str, list[float | None]]:
    return {
        "value": [_scaled(share.value if share else None, scale) for share in found],
        "low": [_scaled(share.low if share else None, scale) for share in found],
        "high": [_scaled(share.high if share else None, scale) for share in found],
    }


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else round(value * scale, 3)
