"""Personal data and secrets are taken out of every text before it leaves the service for a trace or a score."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

Replacement = Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class _Kind:
    """One kind of text that must not leave.

    Every quantifier is bounded, or begins at one place of a run alone, and a long one gives nothing back, so that no
    text makes the search slow: Python holds its lock meanwhile, and every other request waits.
    """

    pattern: re.Pattern[str]
    replacement: Replacement


def mask(text: str) -> str:
    """`text` with e-mail addresses, keys and passwords, payment cards and telephone numbers replaced by their kind.

    It errs on the side of masking: a number that only looks like a telephone's is lost to the trace, not to the answer.
    """
    for kind in _KINDS:
        text = kind.pattern.sub(kind.replacement, text)
    return text


def mask_json(text: str) -> str:
    """As `mask`; of a JSON object or list each value is masked on its own, so that it stays one.

    A value whose name is that of a secret is masked as a whole.
    """
    if not text.lstrip().startswith(("{", "[")):
        return mask(text)
    try:
        said = json.loads(text)
        masked = _masked_value(said)
        dumped = text if masked == said else json.dumps(masked, ensure_ascii=False)
        dumped.encode()  # half a character, which an escape can write, cannot be sent
    except (ValueError, RecursionError):
        return mask(text)
    return dumped


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others. Source: ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _masked_value(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        entries = cast(dict[str, object], value).items()
        return {mask(key): _masked_value(entry, key) for key, entry in entries}
    if isinstance(value, list):
        return [_masked_value(entry, name) for entry in cast(list[object], value)]
    if value is None or isinstance(value, bool):
        return value
    said = str(value)
    if len(said) >= _SHORTEST_SECRET and _SECRET_NAME.search(name):
        return "[secret]"
    masked = mask(said)
    return value if masked == said else masked


def _named(name: str) -> Replacement:
    return lambda _: f"[{name}]"


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return "[card]" if passes_luhn(digits) else match[0]


def _basic(match: re.Match[str]) -> str:
    """Credentials of HTTP's Basic scheme are user:password in base64 (RFC 7617); a word after "basic" is not."""
    said = match[2].rstrip("=")
    decoded = base64.b64decode(said + "A" * (-len(said) % 4))
    return f"{match[1]}[secret]" if b":" in decoded else match[0]


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}[secret]"


_PRIVATE_KEY = r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:[^-]|-(?!----)){0,8192}+(?:-----END [A-Z ]{0,32}-----)?"
# From the beginning of a run alone: from each of its characters anew, a long run without the sign takes long.
_ADDRESS = r"(?<![\w.+-])[\w.+-]++@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
# The user may be an address, and a password may hold what ends it, unescaped: the last sign before a slash counts.
_USER_OF_ADDRESS = r"://[^\s/:\"\\<>]{0,256}+:(?:[^\s/@\"\\<>]{0,256}+@){1,8}+"
# In JSON that was cut off, and in code, the letter before may be that of a line break.
_AFTER_ESCAPE = r"(?<=\\[bfnrt])"
_BEGIN = rf"(?:\b|{_AFTER_ESCAPE})"
# Our own; OpenAI, Langfuse and Stripe; AWS; GitHub; Slack; Tavily; Prefect Cloud; JSON Web Tokens.
_KEY = (
    rf"{_BEGIN}(?:ak_[0-9a-f]{{12}}_[A-Za-z0-9_-]{{16,64}}"
    r"|(?:sk|pk|rk)[-_][A-Za-z0-9_-]{8,256}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|gh[opsur]_[A-Za-z0-9]{20,255}"
    r"|github_pat_[A-Za-z0-9_]{20,255}|tvly-[A-Za-z0-9_-]{8,256}|pn[bu]_[A-Za-z0-9]{16,255}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,255}|eyJ[\w-]{8,512}+\.[\w-]{8,4096}+\.[\w-]{0,4096})"
)
_SHORTEST_SECRET = 6
# At the end of a longer name too, or within: DB_PASSWORD, AWS_SECRET_ACCESS_KEY. A number of tokens is no secret.
_NAME = r"(?:password|passwd|passphrase|secret|(?:api|access|private)[_ -]?key|token(?!s|i))[\w-]{0,40}+"
# In JSON that was cut off a quote has backslashes before it, and a value ends before the one of its end.
_QUOTE = r"(?:\\{0,3}[\"'])?"
_ASSIGNED = (
    rf"({_BEGIN}Bearer\s{{1,4}}{_QUOTE}|{_NAME}{_QUOTE}\s{{0,4}}[:=]\s{{0,4}}{_QUOTE})"
    rf"(?:[^\s\"',;\\]|\\[^\s\"']){{{_SHORTEST_SECRET},512}}"
)
# Whatever case the letters have: without regard to it, two more characters of Unicode would be among them.
_BASIC = rf"({_BEGIN}(?i:Basic)\s{{1,4}})([A-Za-z0-9+/]{{8,512}}+={{0,2}})"
_CARD = rf"(?:(?<![\w.-])|{_AFTER_ESCAPE})\d(?:[ -]?\d){{12,18}}(?![\w-])"
# International, or of three groups as in North America; dates, versions and addresses of hosts are neither.
_TELEPHONE = (
    rf"(?:(?<![\w.+])|{_AFTER_ESCAPE})(?:\+|00)\d{{1,3}}(?:[ ./()-]{{0,3}}\d){{6,13}}(?!\w)"
    rf"|(?:(?<![\w.-])|{_AFTER_ESCAPE})\(?\d{{3}}\)?[ .-]\d{{3}}[ .-]\d{{4}}(?![\w.-]*\d)"
)

_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
# A user and a host may look like an address of mail, which may hold a number, and a card is a longer number than a
# telephone's.
_KINDS = (
    _Kind(re.compile(_PRIVATE_KEY), _named("key")),
    _Kind(re.compile(_USER_OF_ADDRESS), lambda _: "://[secret]@"),
    _Kind(re.compile(_ADDRESS), _named("e-mail")),
    _Kind(re.compile(_KEY), _named("key")),
    _Kind(re.compile(_ASSIGNED, re.IGNORECASE), _assigned),
    _Kind(re.compile(_BASIC), _basic),
    _Kind(re.compile(_CARD), _card),
    _Kind(re.compile(_TELEPHONE), _named("telephone")),
)
