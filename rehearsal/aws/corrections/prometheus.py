"""Amazon Managed Service for Prometheus, on moto.

- A workspace's `kmsKeyArn` is forgotten; AWS answers it (API reference, WorkspaceDescription). Without it every later
  plan replaces the workspace.
"""

from rehearsal.aws.call import Answer, Call, Proceed


class Prometheus:
    """Remembers the key of each workspace."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Create and describe workspaces with their key; all else as moto does."""
        answer = await proceed(call)
        if not answer.succeeded:
            return answer
        if call.method == "POST" and call.path == "/workspaces":
            created = answer.json
            if key := call.json.get("kmsKeyArn"):
                self._keys[created["workspaceId"]] = key
                return answer.with_json({**created, "kmsKeyArn": key})
        elif call.method == "GET" and call.path.rpartition("/")[0] == "/workspaces":
            workspace = answer.json["workspace"]
            if key := self._keys.get(workspace["workspaceId"]):
                return answer.with_json({"workspace": {**workspace, "kmsKeyArn": key}})
        return answer
