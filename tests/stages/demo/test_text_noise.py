"""Typing noise keeps a comment's feeling readable and Korean well-formed."""

import random
import unicodedata

import pytest

from stages.demo.text_noise import add_noise


@pytest.mark.parametrize(("text", "language"), [("와 이게 실화냐 ㅋㅋ", "ko"), ("this banger slaps", "en")])
def test_noise_changes_some_comments_and_leaves_most_alone(text: str, language: str) -> None:
    rng = random.Random(1)
    typed = [add_noise(text, language, rng) for _ in range(400)]
    assert 100 < typed.count(text) < 300
    assert len(set(typed)) > 40
    assert all(typed)


def test_long_vowels_are_whole_syllables() -> None:
    rng = random.Random(1)
    typed = {add_noise("오늘 경기 최고야", "ko", rng) for _ in range(400)}
    assert "오늘 경기 최고야아" in typed
    assert all(unicodedata.is_normalized("NFC", text) for text in typed)
