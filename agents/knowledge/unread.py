"""Documents that are listed and can suddenly not be read are no news of their content: a permission was lost."""

from collections.abc import Sequence

from agents.knowledge.deletions import NAMED, ROWS, DeletionGuard
from agents.knowledge.generation import Manifest
from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.sync import ScannedDocument


class ReadingWithheld(RefreshRefused):
    """The sources list so many documents that they no longer let anybody read that somebody has to look."""


def require_readable(serving: Manifest | None, scanned: Sequence[ScannedDocument], guard: DeletionGuard) -> None:
    """Let few documents pass that could be read for the serving generation and cannot now; their last version serves.

    Raises:
        ReadingWithheld: they are more than the guard allows to be deleted, or all of a source; nothing was changed.
    """
    if serving is None:
        return
    before = serving.versions
    lost = [each for each in scanned if each.content_hash is None and before.get(each.ref.uri) is not None]
    readable = {each.ref.source for each in scanned if each.content_hash is not None}
    closed = sorted({each.ref.source for each in lost} - readable)
    if not closed and guard.allows(len(lost), len(serving.documents)):
        return
    limits = f"everything that source {', '.join(map(repr, closed))} lists" if closed else guard.exceeded
    first = "; ".join(f"{each.ref.uri} ({each.failure})" for each in lost[:NAMED])
    raise ReadingWithheld(
        f"{len(lost)} of {len(serving.documents)} documents are listed and cannot be read any more, such as {first}: "
        f"that is {limits}, so nothing was changed and {serving.generation!r} serves on. Give the refresh back the "
        "right to read them (s3:GetObject and kms:Decrypt of a bucket) and run it again, or, if their last versions "
        "are to serve on while others are refreshed, run it with confirm_deletions=true.",
        tuple({"document": each.ref.uri, "source": each.ref.source, "reason": each.failure} for each in lost[:ROWS]),
    )
