"""The text and the title of a page as they are shown: clean, and at most so long."""

from agents.guards.visible_text import visible

LONGEST_TITLE = 300
_CLEANED = 4
"""So many times the characters that are kept are cleaned, for some of them may go; the rest of a page is not looked
at."""


def shown_text(text: str, characters: int) -> tuple[str, bool]:
    """The first `characters` of `text` that people see, and whether that is surely all of it."""
    whole = text.strip()
    begun = whole[: _CLEANED * characters]
    shown = visible(begun).strip()
    return shown[:characters], len(begun) == len(whole) and len(shown) <= characters


def shown_title(title: str) -> str:
    """The title in one line, cut to `LONGEST_TITLE`; empty when nothing of it is seen."""
    return " ".join(visible(title.strip()[: _CLEANED * LONGEST_TITLE]).split())[:LONGEST_TITLE]
