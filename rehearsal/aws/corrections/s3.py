"""S3, on moto.

- `GetBucketNotificationConfiguration` leaves the EventBridge configuration out, and `GetBucketLogging` the format of
  object keys (`TargetObjectKeyFormat`); AWS answers both as they were put (API reference of the two operations).
- A policy's statement that denies under a condition always denies, such as the one that wants TLS; AWS looks at the
  condition (user guide, "Bucket policy examples"). Nothing here goes by TLS: moto is not told of such statements.
- Access logs are written on and on once they were allowed; AWS writes them while the policy of their bucket lets its
  logging service (user guide, "Enabling Amazon S3 server access logging"). A bucket that was emptied would not stay so.
"""

import json
import re
from dataclasses import replace
from typing import Any

from rehearsal.aws.call import Answer, Call, Proceed

_ANSWERED_AS_PUT = ("notification", "logging", "policy")
_TARGET = re.compile(rb"<TargetBucket>([^<]+)</TargetBucket>")
_LOGGING_SERVICE = b"logging.s3.amazonaws.com"
_NO_LOGGING = b'<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'


class S3:
    """Remembers three configurations of each bucket as they were put."""

    def __init__(self) -> None:
        self._put: dict[tuple[str, str], bytes] = {}

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """The configurations from memory, if moto has the bucket and took them; all else as moto does."""
        bucket, query = call.path.strip("/"), call.query
        configuration = next((name for name in _ANSWERED_AS_PUT if name in query), None)
        if "/" in bucket or (configuration is None and call.method != "DELETE"):
            return await proceed(call)
        sent = replace(call, body=_unconditional(call.body)) if configuration == "policy" and call.body else call
        answer = await proceed(sent)
        if not answer.succeeded:
            return answer
        if call.method == "GET" and configuration:
            return replace(answer, body=self._put.get((bucket, configuration), answer.body))
        if call.method == "PUT" and configuration:
            self._put[bucket, configuration] = call.body
        elif not query or configuration:
            for name in (configuration,) if configuration else _ANSWERED_AS_PUT:
                self._put.pop((bucket, name), None)
        if configuration == "policy" and _LOGGING_SERVICE not in call.body:
            await self._stop_logs_to(bucket, call, proceed)
        return answer

    async def _stop_logs_to(self, target: str, call: Call, proceed: Proceed) -> None:
        headers = {name: call.headers[name] for name in ("host", "authorization")}
        for (source, configuration), body in self._put.items():
            named = _TARGET.search(body) if configuration == "logging" else None
            if named and named[1].decode() == target:
                stop = replace(call, method="PUT", target=f"/{source}?logging", headers=headers, body=_NO_LOGGING)
                await proceed(stop)


def _unconditional(policy: bytes) -> bytes:
    """The policy without what it denies under a condition."""
    document: dict[str, Any] = json.loads(policy)
    statements = document["Statement"]
    listed: list[dict[str, Any]] = statements if isinstance(statements, list) else [statements]
    kept = [each for each in listed if each["Effect"] == "Allow" or not each.get("Condition")]
    return json.dumps({**document, "Statement": kept}).encode()
