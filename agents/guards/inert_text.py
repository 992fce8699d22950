"""Text that stays text wherever it is rendered: nothing in it loads, links or runs.

An answer is shown by programs that read it as Markdown. There an image is loaded and a link followed with whatever its
address carries, which is how a poisoned document sends out what else the model has read (OWASP LLM05:2025). So the text
of an answer has no links and no images at all: addresses and tags stand in it as code, and sources are named by
citations, which the service makes itself.
"""

import html
import re

from agents.guards.visible_text import visible

# Behind tildes, and not behind ticks, a tick may follow (CommonMark, fenced code blocks).
_FENCED = re.compile(r"^(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*\n(?P<lines>(?:.*\n)*?)(?P=fence)[ \t]*$", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(?P<ticks>`+)(?!`)(?P<content>[^\n]+?)(?<!`)(?P=ticks)(?!`)")
# An address, in whatever scheme, or a tag, also one that is never closed. A bar ends both: it parts cells of a table.
# What stands directly before an address hides it from some programs only, so it hides it from none here.
_ADDRESS_OR_TAG = re.compile(
    r"(?P<address>(?:[a-z][a-z0-9+.-]{0,30}://|www\.|(?<![a-z0-9])(?:javascript|vbscript|data|mailto|xmpp):)[^\s`<>\[\]|]+)"
    r"|<(?=[a-z/!?])[^<>`\n|]*>?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]*);")
_LINK_SYNTAX = re.compile(r"\](?=[(\[:])|!(?=\[)")
_CLOSING = ").,;:!?'\"*_~"
"""What ends a sentence around an address and does not belong to it."""


def inert(text: str) -> str:
    """`text` without hidden characters, with addresses and tags as code, and no syntax of a link or an image.

    Blocks of code become a span of code for each line: a fence that something is written behind closes no block, and
    from there on code and text would change places.
    """
    shown = visible(text)
    pieces: list[str] = []
    position = 0
    for fenced in _FENCED.finditer(shown):
        lines = [_span(line.strip()) for line in fenced["lines"].splitlines() if line.strip()]
        pieces += [_unfenced(shown[position : fenced.start()]), "\n".join(lines)]
        position = fenced.end()
    pieces.append(_unfenced(shown[position:]))
    # An escaped tick would not begin the code that is meant to, and two would be one mark of another kind.
    return re.sub(r"\\+(?=`)", "", "".join(pieces)).replace("``", "` `")


def _unfenced(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for code in _CODE.finditer(text):
        pieces += [_plain(text[position : code.start()]), _code(code["content"])]
        position = code.end()
    pieces.append(_plain(text[position:]))
    return "".join(pieces)


def _code(content: str) -> str:
    # In a table a bar ends the cell, and with it the code.
    parted = "|" in content and (_ADDRESS_OR_TAG.search(content) or _LINK_SYNTAX.search(content))
    return _plain(content) if parted else _span(content)


def _plain(text: str) -> str:
    # A tick without its partner would pair with those that are set here.
    decoded = visible(_decoded(text)).replace("`", "'")
    broken = _LINK_SYNTAX.sub(lambda match: f"{match.group()} ", decoded)
    return _ADDRESS_OR_TAG.sub(_address_or_tag, broken)


def _decoded(text: str) -> str:
    """`text` without references to characters, in which an address is not recognised."""
    while (decoded := _REFERENCE.sub(lambda match: html.unescape(match.group()), text)) != text:
        text = decoded
    return text


def _address_or_tag(match: re.Match[str]) -> str:
    found = match.group()
    if match["address"] is None:
        return _span(found)
    address = found.rstrip(_CLOSING)
    return _span(address) + found[len(address) :]


def _span(content: str) -> str:
    return f"`{content.replace('`', chr(39))}`"
