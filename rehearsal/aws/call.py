"""One request to AWS and its answer, as the front sees them."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

# AWS Signature Version 4: <access key>/<date>/<region>/<service>/aws4_request
_SCOPE = re.compile(r"(?:Credential=)?([^/\s=]+)/\d{8}/([^/]*)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Call:
    """A request: `target` is path and query as they came; `service` and `region` are what it was signed for.

    Both are empty where nothing was signed. `headers` have lower-case names.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    access_key: str
    region: str
    service: str

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query; a part without a value has an empty one."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a call in AWS's query protocol."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        """The body of a call in a JSON protocol; empty where there is none."""
        return cast("dict[str, Any]", json.loads(self.body)) if self.body else {}


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the call did what it was asked."""
        return self.status < 300

    @property
    def json(self) -> dict[str, Any]:
        """The body, of a JSON protocol."""
        return cast("dict[str, Any]", json.loads(self.body))

    def with_json(self, document: Mapping[str, Any]) -> "Answer":
        """The same answer with another body."""
        return replace(self, body=json.dumps(document).encode())


Proceed = Callable[[Call], Awaitable[Answer]]


def read_call(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Read a request, signed in a header, signed in its query (presigned), or not at all.

    What was signed in the query is handed on as a header: moto looks there only.
    """
    presigned = dict(parse_qsl(urlsplit(target).query))
    signature = headers.get("authorization", "")
    if not signature and "X-Amz-Credential" in presigned:
        parts = (
            f"{name}={presigned.get(f'X-Amz-{name}', '')}" for name in ("Credential", "SignedHeaders", "Signature")
        )
        signature = f"AWS4-HMAC-SHA256 {', '.join(parts)}"
        headers = {**headers, "authorization": signature}
    scope = _SCOPE.search(signature)
    access_key, region, service = scope.groups() if scope else ("", "", "")
    return Call(method, target, headers, body, access_key, region, service)
