"""Fonts in the page have each letter that it shows."""

import re
from base64 import b64decode
from io import BytesIO

from fontTools.ttLib import TTFont

from tests.helpers.written_pages import without_plotly


def test_the_embedded_fonts_have_each_korean_letter_of_the_page(page: str) -> None:
    letters = set(re.findall("[가-힣]", without_plotly(page)))
    fonts = re.findall(r"url\(data:font/woff;base64,([^)]*)\)", page)
    assert len(fonts) == 2
    assert len(letters) > 100
    for font in fonts:
        assert letters <= {chr(code) for code in TTFont(BytesIO(b64decode(font))).getBestCmap()}
