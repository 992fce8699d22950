import pytest

from agents.web_search.page_text import LONGEST_TITLE, shown_text, shown_title


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ("", True)),
        (" \n", ("", True)),
        ("abcd", ("abcd", True)),
        ("\n" * 100 + "ab\u200bcd\u202e \n", ("abcd", True)),
        ("abcde", ("abcd", False)),
        ("a" * 2_000_000, ("aaaa", False)),
        ("cafe\u0301", ("caf\xe9", True)),
        ("\u200b" * 100 + "a", ("", False)),
    ],
)
def test_the_text_is_clean_and_cut_and_says_whether_it_is_all(text: str, shown: tuple[str, bool]) -> None:
    assert shown_text(text, 4) == shown


def test_a_title_is_one_line() -> None:
    assert shown_title(" A\u200b \n page ") == "A page"
    assert shown_title("\u202e") == ""
    assert shown_title("\n" * 10_000 + "a" * 10_000) == "a" * LONGEST_TITLE
