"""Updates of EKS clusters, which ministack does not have: each is done at once, where AWS takes minutes.

- UpdateClusterVersion and UpdateNodegroupVersion change the version; what AWS checks before (one minor at a time, nodes
  no newer than the control plane) is not checked here.
- DescribeUpdate answers that the update was successful.
- ListInsights finds nothing: AWS looks at the cluster, nobody does so here.
"""

import re
import uuid
from dataclasses import dataclass, field

from rehearsal.aws.call import Answer, Call

_CLUSTER_VERSION = re.compile(r"(/clusters/[^/]+)/updates")
_NODE_GROUP_VERSION = re.compile(r"(/clusters/[^/]+/node-groups/[^/]+)/update-version")
_UPDATE = re.compile(r"/clusters/[^/]+/updates/([^/]+)")
_INSIGHTS = re.compile(r"/clusters/[^/]+/insights")
_JSON = (("content-type", "application/json"),)


@dataclass
class EksUpdates:
    """Remembers the version to which each cluster and node group was moved, by its path."""

    _versions: dict[str, str] = field(default_factory=dict[str, str])

    def answer(self, call: Call) -> Answer | None:
        """The answer to a call about updates or insights; None for all others."""
        path, created = call.path, call.method == "POST"
        if (update := _UPDATE.fullmatch(path)) and call.method == "GET":
            return _update(update[1], "Successful")
        moved = _CLUSTER_VERSION.fullmatch(path) or _NODE_GROUP_VERSION.fullmatch(path)
        if moved and created:
            if "version" in call.json:
                self._versions[moved[1]] = call.json["version"]
            return _update(str(uuid.uuid4()), "InProgress")
        if _INSIGHTS.fullmatch(path) and created:
            return Answer(200, _JSON, b"").with_json({"insights": []})
        return None

    def version(self, path: str) -> dict[str, str]:
        """What is to be put into the answer about the cluster or node group at `path`."""
        return {"version": self._versions[path]} if path in self._versions else {}

    def forget(self, path: str) -> None:
        """What is at `path` was deleted."""
        self._versions = {known: version for known, version in self._versions.items() if not known.startswith(path)}


def _update(identifier: str, status: str) -> Answer:
    document = {"id": identifier, "status": status, "type": "VersionUpdate", "params": [], "errors": []}
    return Answer(200, _JSON, b"").with_json({"update": document})
