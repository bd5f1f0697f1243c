import pytest

from transfer.text.near_duplicates import near_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Buy followers NOW!!! 50 % off 🎉", "buy followers now... 70% offff"),
        ("이 영화 진짜 최고예요 꼭 보세요ㅋㅋㅋ", "이영화 진짜 최고예요!! 꼭보세요 ㅋ"),
        ("look at this page http it is free", "Look at this page, it is free @user"),
    ],
)
def test_what_only_a_copier_changes_makes_no_other_text(one: str, other: str) -> None:
    assert near_key(one) == near_key(other) is not None


def test_other_words_make_another_text() -> None:
    assert near_key("buy followers now") != near_key("buy flowers now")


@pytest.mark.parametrize("text", ["so funny", "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "최고예요!!!", "http @user 12345678"])
def test_a_few_letters_say_too_little_to_be_a_copy(text: str) -> None:
    assert near_key(text) is None
