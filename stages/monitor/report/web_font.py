"""NanumGothic as a web font for the page, in as few bytes as its text needs."""

from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO

from studies.figures.fonts import Weight, font_file


def web_font(characters: Iterable[str], weight: Weight = "regular") -> str:
    """The glyphs of these characters as a WOFF font in base64, for a data: address in @font-face.

    Characters that the font lacks are left out: the browser takes them from the reader's machine.
    """
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(flavor="woff", layout_features=["kern", "ccmp"], hinting=False, notdef_outline=True)
    # the licence reserves the name for the whole font, so a part of it keeps the copyright and loses the name
    options.name_IDs = [0, 7, 13, 14]
    options.drop_tables += ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]  # the type designer's own, of no use in print
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(set(characters))))
    woff = BytesIO()
    with load_font(str(font_file(weight)), options) as font:
        subsetter.subset(font)
        save_font(font, woff, options)
    return b64encode(woff.getvalue()).decode("ascii")
