"""Personal data and secrets are taken out of every text before it leaves the service for a trace or a score."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Replacement = Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class _Kind:
    """One kind of text that must not leave; every quantifier is bounded, so that no text makes the search slow."""

    pattern: re.Pattern[str]
    replacement: Replacement


def mask(text: str) -> str:
    """`text` with e-mail addresses, keys and passwords, payment cards and telephone numbers replaced by their kind.

    It errs on the side of masking: a number that only looks like a telephone's is lost to the trace, not to the answer.
    """
    for kind in _KINDS:
        text = kind.pattern.sub(kind.replacement, text)
    return text


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others. Source: ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _named(name: str) -> Replacement:
    return lambda _: f"[{name}]"


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return "[card]" if passes_luhn(digits) else match[0]


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}[secret]"


_PRIVATE_KEY = r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.{0,8192}?(?:-----END [A-Z ]{0,32}-----|\Z)"
_ADDRESS = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
# Our own; OpenAI, Langfuse and Stripe; AWS; GitHub; Slack; JSON Web Tokens.
_KEY = (
    r"\bak_[0-9a-f]{12}_[A-Za-z0-9_-]{16,64}"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{8,256}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[opsur]_[A-Za-z0-9]{20,255}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,255}|\beyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096}"
)
_ASSIGNED = (
    r"((?:\bBearer\s{1,4})|(?:\b(?:password|passwd|passphrase|secret|api[_ -]?key|token)\b[\"']?\s{0,4}[:=]\s{0,4}))"
    r"[\"']?[^\s\"',;]{6,512}"
)
_CARD = r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"
# International, or of three groups as in North America; dates, versions and addresses of hosts are neither.
_TELEPHONE = (
    r"(?<![\w.+])(?:\+|00)\d{1,3}(?:[ ./()-]{0,3}\d){6,13}(?!\w)"
    r"|(?<![\w.-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w.-]*\d)"
)

# An address may hold a number, and a card is a longer number than a telephone's.
_KINDS = (
    _Kind(re.compile(_PRIVATE_KEY, re.DOTALL), _named("key")),
    _Kind(re.compile(_ADDRESS), _named("e-mail")),
    _Kind(re.compile(_KEY), _named("key")),
    _Kind(re.compile(_ASSIGNED, re.IGNORECASE), _assigned),
    _Kind(re.compile(_CARD), _card),
    _Kind(re.compile(_TELEPHONE), _named("telephone")),
)
