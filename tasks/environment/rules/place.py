"""What belongs to a laptop, and what to an environment on AWS."""

from typing import TYPE_CHECKING

from tasks.environment.identity import EnvironmentName

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_sections_of_laptop_or_cloud(environment: "Environment") -> None:
    """A laptop has a section of its own, names no account, and runs models as processes. Raises `ValueError`."""
    local = environment.name is EnvironmentName.LOCAL
    if local != (environment.laptop is not None):
        raise ValueError(
            f"environment.name = {environment.name.value!r}: 'local' needs a laptop section, others have none"
        )
    for key in ("account_id", "region"):
        if local != (getattr(environment.environment, key) is None):
            raise ValueError(
                f"environment.name = {environment.name.value!r}: 'local' has no environment.{key}, every other needs it"
            )
    possible = ("process", "bedrock") if local else ("gpu", "neuron", "kuberay", "bedrock")
    for name, model in environment.models.catalogue.items():
        if model.runs_on not in possible:
            raise ValueError(
                f"models.catalogue.{name}.runs_on = {model.runs_on!r} is not possible in {environment.name.value!r}; "
                f"allowed are {', '.join(possible)}"
            )


def require_cloud_sections(environment: "Environment") -> None:
    """Every environment on AWS has all sections about AWS, and a laptop none. Raises `ValueError`."""
    for section in (
        "network",
        "access",
        "cluster",
        "capacity",
        "observability",
        "data",
        "edge",
        "operations",
        "addons",
    ):
        if (environment.name is EnvironmentName.LOCAL) != (getattr(environment, section) is None):
            raise ValueError(
                f"environment.name = {environment.name.value!r}: 'local' has no section {section}, every other needs it"
            )


def require_backup(environment: "Environment") -> None:
    """The data of a protected environment are backed up. Raises `ValueError`."""
    if environment.environment.protected and environment.data is not None and environment.data.backup is None:
        raise ValueError("environment.protected = true: data.backup is missing, and people rely on the data")


def require_store_for_place(environment: "Environment") -> None:
    """The embedded store is for a laptop; what Terraform makes is for AWS. Raises `ValueError`."""
    store = environment.knowledge.store
    if store.engine == "lancedb" and environment.laptop is None:
        raise ValueError("knowledge.store.engine = 'lancedb' keeps its files on the laptop; use 'opensearch' on AWS")
    if store.engine == "opensearch" and store.endpoint is None and environment.laptop is not None:
        raise ValueError("knowledge.store.endpoint is missing; only on AWS does Terraform know it")
    if environment.knowledge.events is not None and environment.laptop is not None:
        raise ValueError("knowledge.events is for environments on AWS: nothing tells a laptop of changes in S3")
    if store.engine == "opensearch" and store.snapshot_directory is not None and environment.laptop is None:
        raise ValueError(
            "knowledge.store.snapshot_directory is for 'local'; on AWS data.backup has a bucket for snapshots"
        )
