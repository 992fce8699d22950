"""The architectures that every image of the project exists for, under the names that images know them by."""

import platform
from typing import Literal, get_args

# https://github.com/opencontainers/image-spec/blob/main/config.md, which takes Go's names.
Architecture = Literal["amd64", "arm64"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
_MACHINES: dict[str, Architecture] = {"x86_64": "amd64", "aarch64": "arm64"}


class UnknownMachine(Exception):
    """This machine is of no architecture that images are built for."""


def machine_architecture() -> Architecture:
    """The architecture of this machine, which is the only one that it builds for.

    Raises:
        UnknownMachine: it is another one.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        raise UnknownMachine(f"this machine is {machine!r}; images are built on {', '.join(sorted(_MACHINES))}")
    return _MACHINES[machine]


def platform_tag(commit: str, architecture: Architecture) -> str:
    """The tag of the image of one architecture, beside that of all of them, which is the commit."""
    return f"{commit}-{architecture}"
