"""What EKS puts before its API servers: it knows by a token which AWS identity asks, and by access entries its groups.

The API server sends each token that it does not know itself (webhook token authentication,
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication). As on EKS, the
token is a signed request that STS is asked for its signer; the signer's access entry says the rest:
https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

import base64
import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from botocore.exceptions import ClientError
from defusedxml import ElementTree

from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from rehearsal.cluster import Cluster
from rehearsal.ports import HOST

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
LONGEST_URL_SECONDS = 900
# This policy's rights are those of this group; there is nothing that plays EKS's own authorizer for the others.
ADMINISTRATORS_POLICY = "cluster-access-policy/AmazonEKSClusterAdminPolicy"
ADMINISTRATORS_GROUP = "system:masters"
REVIEW = "authentication.k8s.io/v1"
_ASSUMED = re.compile(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.+")
_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"


class NotAuthenticated(Exception):
    """A token says nothing about who asks; says why."""


@dataclass(frozen=True)
class User:
    """Who asks, as Kubernetes knows them."""

    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Authenticator:
    """Knows the identities of one AWS account in one of its EKS clusters."""

    aws: EmulatedAws
    cluster: str

    def user_of(self, token: str) -> User:
        """The user whose token it is.

        Raises:
            NotAuthenticated: it is no token for this cluster, or its identity has no access entry.
        """
        caller = self._caller(self._signed_request(token))
        eks = client_of(self.aws, "eks")
        principal = _principal(caller)
        named = {"clusterName": self.cluster, "principalArn": principal}
        try:
            entry = eks.describe_access_entry(**named)["accessEntry"]
            policies = eks.list_associated_access_policies(**named)["associatedAccessPolicies"]
        except ClientError as error:
            raise NotAuthenticated(f"{principal!r} has no access to {self.cluster!r}: {error}") from error
        administers = any(
            policy["policyArn"].endswith(ADMINISTRATORS_POLICY) and policy["accessScope"]["type"] == "cluster"
            for policy in policies
        )
        groups = (*entry.get("kubernetesGroups", ()), *([ADMINISTRATORS_GROUP] if administers else []))
        return User(caller, groups)

    def _signed_request(self, token: str) -> str:
        """The URL in a token, if it is a request to STS in this cluster's name."""
        try:
            encoded = token.removeprefix(PREFIX)
            url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            parts = urlsplit(url)
        # Bad base64, bad UTF-8 and bad URLs are all of this kind.
        except ValueError as error:
            raise NotAuthenticated(f"the token is no URL: {error}") from error
        query = dict(parse_qsl(parts.query))
        if not token.startswith(PREFIX) or f"{parts.scheme}://{parts.netloc}" != self.aws.address:
            raise NotAuthenticated(f"the token is no request to STS at {self.aws.address}")
        if query.get("Action") != "GetCallerIdentity" or CLUSTER_HEADER not in query.get("X-Amz-SignedHeaders", ""):
            raise NotAuthenticated(f"the token's request asks {query.get('Action')!r}, or names no cluster")
        seconds = query.get("X-Amz-Expires", "")
        if not seconds.isdecimal() or int(seconds) > LONGEST_URL_SECONDS:
            raise NotAuthenticated(f"the token's request is valid for {seconds!r} seconds")
        return url

    def _caller(self, url: str) -> str:
        answer = httpx.get(url, headers={CLUSTER_HEADER: self.cluster}, timeout=120, trust_env=False)
        if not answer.is_success:
            raise NotAuthenticated(f"STS answers {answer.status_code}: {answer.text}")
        arn = ElementTree.fromstring(answer.text).findtext(f".//{_STS}Arn")
        if arn is None:
            raise NotAuthenticated(f"STS names no identity: {answer.text}")
        return arn


@contextmanager
def running_authenticator(authenticator: Authenticator, cluster: Cluster) -> Generator[None]:
    """Have emulated EKS answer where its cluster is, and the cluster know AWS identities, for the block."""
    assert cluster.authenticator_port is not None  # noqa: S101 - those that the rehearsal starts have one
    authenticator.aws.place_cluster(authenticator.cluster, cluster.address, cluster.authority)
    handler = _handler(authenticator)
    with ThreadingHTTPServer((HOST, cluster.authenticator_port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="authenticator")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _handler(authenticator: Authenticator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(_reviewed(authenticator, review["spec"]["token"])).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _reviewed(authenticator: Authenticator, token: str) -> dict[str, Any]:
    try:
        user = authenticator.user_of(token)
    except NotAuthenticated as error:
        status: dict[str, Any] = {"authenticated": False, "error": str(error)}
    else:
        status = {"authenticated": True, "user": {"username": user.name, "groups": list(user.groups)}}
    return {"apiVersion": REVIEW, "kind": "TokenReview", "status": status}


def _principal(caller: str) -> str:
    """The ARN by which access entries name the identity: of a session, that of its role."""
    if assumed := _ASSUMED.fullmatch(caller):
        partition, account, role = assumed.groups()
        return f"arn:{partition}:iam::{account}:role/{role}"
    return caller
