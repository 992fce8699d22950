"""Prefect blocks that may not have been saved yet."""

from typing import TypeVar

from prefect.blocks.core import Block

Saved = TypeVar("Saved", bound=Block)


def find_block(kind: type[Saved], name: str) -> Saved | None:
    """The block of this name; None where none was saved.

    Raises:
        ValueError: what was saved is no such block any more.
    """
    try:
        block = kind.load(name)
    except ValueError as error:
        # Prefect has no error of its own for it, and pydantic's errors are of the same kind.
        if "Unable to find block document" not in str(error):
            raise
        return None
    assert isinstance(block, kind)  # noqa: S101 - what load answers outside of an event loop
    return block
