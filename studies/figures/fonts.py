"""NanumGothic for pictures, so that Korean shows right on a machine without a Korean font.

The font (© NHN Corporation, SIL Open Font License 1.1) lies in the dependency koreanize_matplotlib. That package is
found but never imported: its import changes matplotlib for the whole process.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

FAMILY = "NanumGothic"
FILES = {"regular": "NanumGothic.ttf", "bold": "NanumGothicBold.ttf"}
Weight = Literal["regular", "bold"]


def font_file(weight: Weight = "regular") -> Path:
    """Where the font lies. Raises ModuleNotFoundError where the dependency is not installed."""
    package = find_spec("koreanize_matplotlib")  # finds a package without running it
    if package is None or package.origin is None:
        raise ModuleNotFoundError("koreanize_matplotlib is not installed; it carries the Korean font")
    return Path(package.origin).parent / "fonts" / FILES[weight]


@lru_cache(maxsize=1)
def picture_fonts() -> dict[Any, Any]:
    """matplotlib settings, for an rc_context of one picture, under which Korean and Latin text renders.

    Makes the font known to matplotlib, once a process; no global setting is changed. Text is taken literally: a label
    with dollar signs is no formula. What NanumGothic lacks comes from DejaVu Sans, which ships with matplotlib.
    """
    from matplotlib.font_manager import FontEntry, fontManager

    # the file calls its own weight 600, so that matplotlib would warn wherever bold (700) is asked for
    bold = FontEntry(fname=str(font_file("bold")), name=FAMILY, weight=700, size="scalable")
    fontManager.ttflist.append(bold)
    fontManager.addfont(str(font_file("regular")))  # last: it also clears what was looked up before
    return {"font.family": [FAMILY, "DejaVu Sans"], "text.parse_math": False, "axes.unicode_minus": True}
