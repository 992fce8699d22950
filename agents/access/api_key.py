"""What an API key looks like, and how one is told from a made-up one.

A key is `ak_<prefix>_<secret>`: the prefix finds it, and its 256 random bits make a slow hash needless, which guards
what people choose (OWASP Password Storage Cheat Sheet; NIST SP 800-63B, 5.1.2.2, look-up secrets).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from agents.caller import Scope
from agents.state.api_keys import ApiKey
from agents.state.clock import MS_PER_DAY, now_ms

_FORM = re.compile(r"ak_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


def make_key(owner: str, scopes: Iterable[Scope], days: float) -> tuple[str, ApiKey]:
    """A new key that is valid for `days`: its text, which is not kept, and what is kept of it."""
    prefix = secrets.token_hex(6)
    key = f"ak_{prefix}_{secrets.token_urlsafe(32)}"
    created = now_ms()
    return key, ApiKey(prefix, digest(key), owner, frozenset(scopes), created, created + int(days * MS_PER_DAY))


def prefix_of(key: str) -> str | None:
    """The prefix of what looks like a key; None for anything else."""
    match = _FORM.fullmatch(key)
    return match[1] if match else None


def digest(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_key(key: str, kept: ApiKey) -> bool:
    """Whether `key` is the one that is kept, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest(key), kept.digest)
