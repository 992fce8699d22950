import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.guards.visible_text import MOST_MARKS, visible

ACUTE, DOT_BELOW = "\u0301", "\u0323"
CHARACTERS = st.sampled_from(
    ["a", "\n", "\t", "\x07", "\u200b", "\u200d", "\u202e", "\ufe0f", "\u05d0", ACUTE, DOT_BELOW]
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text,\n\tas it is", "plain text,\n\tas it is"),
        ("e\u200bvil\u202e\ue000\x07", "evil"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\u2764\ufe0f and \U000e0041\U000e0100", "\u2764 and "),
        ("cafe" + ACUTE, "caf\xe9"),
        ("cafe\u200b" + ACUTE, "caf\xe9"),
    ],
)
def test_hidden_characters_go_and_the_others_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.lists(CHARACTERS, max_size=40).map("".join))
def test_text_without_stacks_of_marks_loses_what_is_hidden_alone(text: str) -> None:
    hidden = {"\x07", "\u200b", "\u202e", "\ufe0f"}
    kept = "".join(character for character in text if character not in hidden)
    if ACUTE * MOST_MARKS not in kept.replace(DOT_BELOW, ACUTE):
        assert visible(text) == unicodedata.normalize("NFC", kept)
    assert visible(visible(text)) == visible(text)


def test_a_stack_of_marks_is_cut_however_hidden_characters_part_it() -> None:
    shown = visible(("q" + (ACUTE + DOT_BELOW + "\u200b") * 30_000) * 2 + "uit")
    assert shown == ("q" + DOT_BELOW * (MOST_MARKS // 2) + ACUTE * (MOST_MARKS // 2)) * 2 + "uit"
