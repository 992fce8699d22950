"""The credential plugin of the kubeconfigs that flows use: a token by which EKS knows an AWS identity.

The token is a request to STS that was signed but not sent; EKS sends it to learn who signed it. As `aws eks get-token`
makes it: https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html and
https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session

API_VERSION = "client.authentication.k8s.io/v1"
PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
# EKS takes a token for 15 minutes, whatever its URL says; a minute is for clocks that differ.
VALID_FOR = timedelta(minutes=14)
# A kept token lasts at least this long: client-go asks again by itself, but not in the middle of a request.
RENEWED_BEFORE_END = timedelta(minutes=2)
URL_SECONDS = 60
SESSION_NAME = "agentic-eks-flow"
Credential = dict[str, Any]


def main() -> int:
    """Print the credential as a plugin of client-go does.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", required=True, help="the EKS cluster's name")
    parser.add_argument("--region", required=True)
    parser.add_argument("--role", help="ARN of the role in whose name to ask; without it the caller's own identity")
    parser.add_argument("--keep", type=Path, help="a private file in which the credential is kept until it ends")
    arguments = parser.parse_args()
    try:
        credential = kept_credential(arguments.keep) if arguments.keep else None
        if credential is None:
            credential = new_credential(arguments.cluster, arguments.region, arguments.role)
            if arguments.keep:
                keep_credential(arguments.keep, credential)
    except CannotSign as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(credential))
    return 0


class CannotSign(Exception):
    """There are no AWS credentials to sign with, or AWS does not give those of the role; says what to do."""


def new_credential(cluster: str, region: str, role: str | None = None) -> Credential:
    """A token for the cluster in the name of `role`, or of whoever the AWS credentials belong to.

    Raises:
        CannotSign: there are no AWS credentials, or the role cannot be assumed.
    """
    # Imported where needed: a kept credential is read in a tenth of the time.
    import botocore.session
    from botocore.exceptions import BotoCoreError, ClientError

    session = botocore.session.get_session()
    ends = datetime.now(UTC) + VALID_FOR
    try:
        url = _presigned(session, cluster, region, _assumed(session, region, role) if role else {})
    except (BotoCoreError, ClientError) as error:
        whose = f"of {role!r} " if role else ""
        raise CannotSign(
            f"a token {whose}for the cluster {cluster!r} cannot be signed: {error}; `aws sts get-caller-identity` "
            "shows whose credentials there are, and the role must trust them"
        ) from error
    token = PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    status = {"expirationTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": token}
    return {"apiVersion": API_VERSION, "kind": "ExecCredential", "spec": {}, "status": status}


def kept_credential(path: Path) -> Credential | None:
    """The credential that an earlier call left in `path`, or None when there is none or it ends soon."""
    try:
        credential: Credential = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    ends = datetime.fromisoformat(credential["status"]["expirationTimestamp"].replace("Z", "+00:00"))
    return credential if ends - datetime.now(UTC) > RENEWED_BEFORE_END else None


def keep_credential(path: Path, credential: Credential) -> None:
    """Write it so that another process sees all of it or nothing; only its owner may read a temporary file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as scratch:
        json.dump(credential, scratch)
    Path(scratch.name).replace(path)


def _assumed(session: "Session", region: str, role: str) -> Mapping[str, str]:
    answer = _sts(session, region, {}).assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


def _presigned(session: "Session", cluster: str, region: str, keys: Mapping[str, str]) -> str:
    sts = _sts(session, region, keys)

    def name_the_cluster(request: Any, **_: object) -> None:
        # Signed with the rest, so that a token for one cluster is none for another.
        request.headers[CLUSTER_HEADER] = cluster

    sts.meta.events.register("before-sign.sts.GetCallerIdentity", name_the_cluster)
    return sts.generate_presigned_url("get_caller_identity", ExpiresIn=URL_SECONDS, HttpMethod="GET")


def _sts(session: "Session", region: str, keys: Mapping[str, str]) -> Any:
    from botocore.config import Config

    # botocore types its clients by literal service names only.
    create: Any = session.create_client
    return create("sts", region_name=region, config=Config(connect_timeout=10, read_timeout=30), **keys)


if __name__ == "__main__":
    sys.exit(main())
