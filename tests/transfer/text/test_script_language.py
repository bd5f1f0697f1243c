"""Languages as far as script tells, and messages that are one flood."""

import pytest

from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages, language_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("오늘 진짜 웃기다 ㅋㅋㅋ", "ko"),
        ("BTS 최고네요 love", "ko"),
        ("ㅠㅠ", "ko"),
        ("what a day", "en"),
        ("quelle journée", "en"),  # Latin letters are all that it sees
        ("今日は楽しかった", "ja"),
        ("カワイイ!", "ja"),
        ("今天很高兴", "zh"),
        ("сегодня хорошо", "other"),
        ("😂😂 123 !!", None),
        ("@user http 좋아요", "ko"),
        ("@user http", None),
    ],
)
def test_a_comment_has_the_language_of_its_script(text: str, expected: str | None) -> None:
    assert language_of(text) == expected


def test_emoji_alone_belong_to_every_language() -> None:
    wanted = in_languages(["ko", "ja"])
    assert [wanted(text) for text in ("😂", "최고", "楽しい", "fun")] == [True, True, True, False]
    assert in_languages(None)("fun")


def test_one_message_with_another_number_or_link_is_one_flood() -> None:
    first = flood_key("a", "구독하고 선물 받아 가세요 여러분 1 http")
    assert flood_key("b", "구독하고!! 선물 받아 가세요 여러분 22 😂 @user") == first
    assert flood_key("c", "구독하고 선물 주고 가세요 여러분 1 http") != first


def test_what_many_people_say_is_no_flood() -> None:
    assert flood_key("a", "lol 1") == "a"
    assert flood_key("b", "ㅋㅋㅋ!!") == "b"
