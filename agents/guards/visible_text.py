"""Text without what people do not see: characters in which instructions or data can hide."""

import unicodedata

_KEPT = frozenset("\n\t\u200c\u200d")
"""Line ends and tabs, and the two joiners that Persian and Indian scripts are written with."""
_HIDDEN = frozenset(["Cc", "Cf", "Co", "Cs"])
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def visible(text: str) -> str:
    """`text` composed (NFC), without control, format, private and tag characters and variation selectors.

    Among these are the marks that reverse the direction of text and the tags that spell out invisible ASCII; see
    Unicode Technical Standard 39 and Boucher and Anderson, "Trojan Source" (2021).
    """
    shown = "".join(character for character in text if not _is_hidden(character))
    return unicodedata.normalize("NFC", shown)


def _is_hidden(character: str) -> bool:
    if character in _KEPT:
        return False
    if any(ord(character) in selectors for selectors in _VARIATION_SELECTORS):
        return True
    return unicodedata.category(character) in _HIDDEN
