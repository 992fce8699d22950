"""What Helm has recorded in the cluster: the revisions of each release, and which of them this project made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.object_metadata import ObjectMetadata, list_metadata

# Labels of a revision's record; the values are at most 63 characters.
ENVIRONMENT_LABEL = "agentic-eks/environment"
DIGEST_LABEL = "agentic-eks/digest"
ORDER_LABEL = "agentic-eks/order"
STAGE_LABEL = "agentic-eks/stage"
# A revision that somebody else adds inherits our labels: it is ours only if it is the one we wrote this for.
REVISION_LABEL = "agentic-eks/revision"

DEPLOYED = "deployed"
IN_BETWEEN = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})


@dataclass(frozen=True)
class ReleaseRecord:
    """The newest revision of a release. `deployed_revision` is the one that last worked, if any did."""

    name: str
    namespace: str
    revision: int
    status: str
    deployed_revision: int | None
    recorded: datetime
    labels: Mapping[str, str]

    @property
    def environment(self) -> str | None:
        """The environment that this project installed the release for, or None when somebody else did."""
        return self.labels.get(ENVIRONMENT_LABEL)

    @property
    def stage(self) -> str | None:
        """The stage whose flow installed it."""
        return self.labels.get(STAGE_LABEL)

    @property
    def order(self) -> int:
        """Its place in the rollout that installed it: what is removed goes from the last to the first."""
        return int(self.labels.get(ORDER_LABEL, "0"))

    @property
    def written_by_us(self) -> bool:
        """Whether this project made the newest revision."""
        return self.labels.get(REVISION_LABEL) == str(self.revision)

    def holds(self, digest: str) -> bool:
        """Whether exactly the content of `digest` is deployed, and nobody else added a revision since."""
        return self.written_by_us and self.status == DEPLOYED and self.labels.get(DIGEST_LABEL) == digest


ReleaseKey = tuple[str, str]


def read_records(connection: Connection, name: str | None = None) -> dict[ReleaseKey, ReleaseRecord]:
    """The newest record of each release by (namespace, name), or of those called `name`: one call, without contents.

    Raises:
        MissingRights: the identity may not list Secrets.
        ClusterFault: the API refuses or does not answer.
    """
    selector = "owner=helm" if name is None else f"owner=helm,name={name}"
    revisions: dict[ReleaseKey, list[ObjectMetadata]] = {}
    for secret in list_metadata(connection, "/api/v1/secrets", selector):
        revisions.setdefault((secret.namespace, secret.labels["name"]), []).append(secret)
    return {key: _newest(key, secrets) for key, secrets in revisions.items()}


def _newest(key: ReleaseKey, secrets: list[ObjectMetadata]) -> ReleaseRecord:
    newest = max(secrets, key=_revision)
    deployed = [_revision(secret) for secret in secrets if secret.labels["status"] == DEPLOYED]
    return ReleaseRecord(
        name=key[1],
        namespace=key[0],
        revision=_revision(newest),
        status=newest.labels["status"],
        deployed_revision=max(deployed, default=None),
        recorded=newest.created,
        labels=newest.labels,
    )


def _revision(secret: ObjectMetadata) -> int:
    return int(secret.labels["version"])
