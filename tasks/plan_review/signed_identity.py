"""Proof of who approves a plan: a request to AWS STS that only its signer could have made.

The approver signs, and does not send, a GetCallerIdentity request that carries the plan's digest in a header; the flow
sends it, and STS answers whose signature it is. It proves nothing for another plan, and nothing after 15 minutes.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; the same way as
https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
from botocore.signers import RequestSigner

from tasks.aws_session import CallerIdentity, explained_credentials, regional_client

DIGEST_HEADER = "x-agentic-eks-plan"
VALID_SECONDS = 900
# The signer's clock may be ahead of ours by so much.
CLOCK_SKEW = timedelta(minutes=5)
_QUERY = "Action=GetCallerIdentity&Version=2011-06-15"
_ANSWER_SECONDS = 20


class InvalidIdentity(Exception):
    """The signed request proves nobody's identity for this plan; says why."""


def sign_identity(digest: str, region: str) -> str:
    """The URL of the signed request, for the plan whose SHA-256 is `digest`.

    Raises:
        MissingCredentials: there is nobody's signature to be had.
    """
    sts = regional_client("sts", region)
    session = boto3.Session(region_name=region)
    credentials = session.get_credentials()
    assert credentials is not None  # noqa: S101 - a client was made with them
    signer = RequestSigner(sts.meta.service_model.service_id, region, "sts", "v4", credentials, session.events)
    request: dict[str, Any] = {
        "method": "GET",
        "url": f"{sts.meta.endpoint_url.rstrip('/')}/?{_QUERY}",
        "body": {},
        "headers": {DIGEST_HEADER: digest},
        "context": {},
    }
    with explained_credentials():
        return signer.generate_presigned_url(
            request, region_name=region, expires_in=VALID_SECONDS, operation_name="GetCallerIdentity"
        )


def verify_identity(signed: str, digest: str, region: str) -> CallerIdentity:
    """Whose signature `signed` carries, for the plan whose SHA-256 is `digest`.

    Raises:
        InvalidIdentity: it is no such request, is for another plan or place, is too old, or STS refuses it.
        httpx.TransportError: STS does not answer.
    """
    _require_form(signed, regional_client("sts", region).meta.endpoint_url)
    answer = httpx.get(signed, headers={DIGEST_HEADER: digest}, timeout=_ANSWER_SECONDS, follow_redirects=False)
    found = [re.search(rf"<{name}>([^<]+)</{name}>", answer.text) for name in ("Account", "Arn", "UserId")]
    if not answer.is_success or not all(found):
        code = re.search(r"<Code>([^<]+)</Code>", answer.text)
        raise InvalidIdentity(
            f"STS refuses the signed identity ({code[1] if code else answer.status_code}): it is for another plan than "
            "the one that waits, or its credentials ended; sign again with `make approve`"
        )
    account, arn, user = (match[1] for match in found if match)
    return CallerIdentity(account, arn, user)


def _require_form(signed: str, endpoint: str) -> None:
    """Nothing but this one request, to STS itself, is sent on anybody's word."""
    address, wanted = urlsplit(signed), urlsplit(endpoint)
    query = parse_qs(address.query)
    if (address.scheme, address.netloc, address.path) != (wanted.scheme, wanted.netloc, "/"):
        raise InvalidIdentity(
            f"the signed identity is for {address.scheme}://{address.netloc}, and must be for {endpoint}"
        )
    if query.get("Action") != ["GetCallerIdentity"]:
        raise InvalidIdentity(f"the signed identity asks for {query.get('Action')!r}, and must ask GetCallerIdentity")
    if DIGEST_HEADER not in ",".join(query.get("X-Amz-SignedHeaders", [])).split(";"):
        raise InvalidIdentity(
            f"the signed identity does not sign the header {DIGEST_HEADER!r}, so it is not tied to a plan"
        )
    try:
        (date,), (seconds,) = query["X-Amz-Date"], query["X-Amz-Expires"]
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        valid = timedelta(seconds=int(seconds))
    except (KeyError, ValueError) as error:
        raise InvalidIdentity(f"the signed identity does not say when it was signed: {error!r}") from error
    now = datetime.now(UTC)
    if valid > timedelta(seconds=VALID_SECONDS) or not signed_at - CLOCK_SKEW <= now <= signed_at + valid:
        raise InvalidIdentity(
            f"the signed identity of {signed_at:%Y-%m-%d %H:%M:%S} UTC is too old (it lives {VALID_SECONDS // 60} "
            "minutes at most); sign again with `make approve`"
        )
