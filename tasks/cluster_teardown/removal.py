"""Objects that are deleted and waited for, whoever has to let go of them."""

from collections.abc import Callable, Sequence

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import Document, Resource, delete, finalizers, list_all, title
from tasks.progress import wait_until_gone

Chosen = Callable[[Document], bool]


def remove_objects(
    connection: Connection, what: str, choices: Sequence[tuple[Resource, Chosen]], patience_seconds: float
) -> list[str]:
    """Delete the chosen objects of all namespaces, and wait until their finalizers are gone; returns what went.

    Raises:
        NoProgress: names the finalizers that hold them.
        ClusterFault: the API refuses or does not answer.
    """
    gone: dict[str, None] = {}

    def look() -> list[str]:
        found = [
            (resource, document)
            for resource, chosen in choices
            for document in list_all(connection, resource)
            if chosen(document)
        ]
        for resource, document in found:
            gone[title(resource, document)] = None
            if not document["metadata"].get("deletionTimestamp"):
                delete(connection, resource, document)
        held.clear()
        held.update(f"{name!r} of {title(resource, each)}" for resource, each in found for name in finalizers(each))
        return [title(resource, document) for resource, document in found]

    def why() -> str:
        listed = ", ".join(sorted(held)) or "nothing"
        return f"They are held by the finalizers {listed}: see whether the controllers that set them run"

    held: set[str] = set()
    wait_until_gone(what, look, why, patience_seconds)
    return list(gone)


def every(_: Document) -> bool:
    """Chooses all objects of a kind."""
    return True
