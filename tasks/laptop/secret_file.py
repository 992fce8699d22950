"""The secrets that the local environment makes for itself, in files that only their owner reads."""

import os
import secrets
import stat
from pathlib import Path

from pydantic import SecretStr

GATEWAY_KEY = "LITELLM_MASTER_KEY"


def read_or_create_secrets(path: Path) -> dict[str, str]:
    """The secrets by the name of their environment variable; missing ones are generated and kept in `path`.

    Raises:
        OSError: the file cannot be read or written.
    """
    known = _read(path)
    if GATEWAY_KEY in known:
        if stat.S_IMODE(path.stat().st_mode) != 0o600:
            path.chmod(0o600)
        return known
    known[GATEWAY_KEY] = f"sk-{secrets.token_urlsafe(32)}"
    _write(path, "".join(f"{name}={value}\n" for name, value in sorted(known.items())))
    return known


def read_or_create_key(path: Path) -> SecretStr:
    """The one secret that is in a file of its own, where a service reads it; generated when the file is not there.

    Raises:
        OSError: the file cannot be read or written.
    """
    if not path.exists():
        _write(path, f"{secrets.token_urlsafe(32)}\n")
    return SecretStr(path.read_text(encoding="utf-8").strip())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs if value}
