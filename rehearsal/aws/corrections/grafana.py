"""Amazon Managed Grafana, which no emulator has.

- moto fails where it is asked for workspaces; AWS answers that there are none (API reference, ListWorkspaces), which is
  so here, because none can be made.
"""

import json

from rehearsal.aws.call import Answer, Call, Proceed


class Grafana:
    """An account without workspaces."""

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """List no workspaces; all else as moto does."""
        if (call.method, call.path) == ("GET", "/workspaces"):
            return Answer(200, (("content-type", "application/json"),), json.dumps({"workspaces": []}).encode())
        return await proceed(call)
