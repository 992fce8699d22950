"""Custom resources go while their operators live; the definitions that this project installed go last."""

from collections.abc import Iterator

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.cluster_teardown import PATIENCE_SECONDS
from tasks.cluster_teardown.removal import every, remove_objects
from tasks.kubernetes.connection import FIELD_MANAGER, Connection
from tasks.kubernetes.objects import DEFINITIONS, Document, Resource, list_all

# Karpenter's own objects go by a step of their own, and its node classes with the release that made them.
KARPENTER = ("karpenter.sh", "karpenter.k8s.aws", "karpenter.kwok.sh")


@task(task_run_name="remove-custom-resources", cache_policy=NO_CACHE, persist_result=False)
def remove_custom_resources(connection: Connection) -> list[str]:
    """Delete all objects of the project's definitions but Karpenter's, and wait for them; returns what went.

    Raises:
        NoProgress: names what does not go, and its finalizers.
        ClusterFault: the API refuses or does not answer.
    """
    resources = [each for each in own_resources(connection) if each.api_version.partition("/")[0] not in KARPENTER]
    return remove_objects(connection, "custom resources", [(each, every) for each in resources], PATIENCE_SECONDS)


@task(task_run_name="remove-definitions", cache_policy=NO_CACHE, persist_result=False)
def remove_definitions(connection: Connection) -> list[str]:
    """Delete the definitions that this project applied, and wait for them; returns what went.

    Raises:
        NoProgress: names those that do not go, because objects of theirs wait for a finalizer.
        ClusterFault: the API refuses or does not answer.
    """
    return remove_objects(connection, "definitions of custom resources", [(DEFINITIONS, is_own)], PATIENCE_SECONDS)


def own_resources(connection: Connection) -> Iterator[Resource]:
    """The kinds that the project's definitions define, each in the version that is stored."""
    for definition in filter(is_own, list_all(connection, DEFINITIONS)):
        spec = definition["spec"]
        version = next(each["name"] for each in spec["versions"] if each["storage"])
        names = spec["names"]
        yield Resource(
            f"{spec['group']}/{version}", names["kind"], names["plural"], namespaced=spec["scope"] == "Namespaced"
        )


def is_own(definition: Document) -> bool:
    """Whether the rollout applied a definition."""
    entries = definition["metadata"].get("managedFields") or ()
    return any(entry["manager"] == FIELD_MANAGER and entry["operation"] == "Apply" for entry in entries)
