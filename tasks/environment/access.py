"""Who may use the cluster of an environment on AWS: people and machines by role, and the workflows of a repository."""

from typing import Annotated

from pydantic import Field

from tasks.environment.section import Section

Principal = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[^*]+$",
        description='the ARN of an IAM role or user, without a wildcard: "arn:aws:iam::<account>:role/<name>"',
    ),
]
Namespace = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="the name of a Kubernetes namespace"),
]
Subject = Annotated[
    str,
    Field(
        pattern=r"^(ref:refs/heads/|ref:refs/tags/|environment:)[^*?]+$",
        description="ref:refs/heads/<branch>, ref:refs/tags/<tag> or environment:<name>, without a wildcard",
    ),
]
GitHubRepository = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", description="<owner>/<name> of a GitHub repository")
]
Principals = Annotated[tuple[Principal, ...], Field(min_length=1)]
SessionHours = Annotated[int, Field(ge=1, le=12)]


class ClusterRole(Section):
    """Who may act on the whole cluster, and for how long at a time."""

    principals: Principals
    require_mfa: bool = False
    session_hours: SessionHours = 4


class NamespacedRole(Section):
    """Who may act in some namespaces, or in all when none is named."""

    principals: Principals
    namespaces: tuple[Namespace, ...] = ()
    require_mfa: bool = False
    session_hours: SessionHours = 8


class Roles(Section):
    """The four roles for people."""

    cluster_admin: ClusterRole
    admin: NamespacedRole
    editor: NamespacedRole
    reader: NamespacedRole


class ContinuousIntegration(Section):
    """The GitHub repository whose workflows may push images, and which of them (`subjects`).

    `create_provider` is false where the account trusts GitHub's tokens already.
    """

    repository: GitHubRepository
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    create_provider: bool = True


class Access(Section):
    """Who may use the cluster."""

    roles: Roles
    ci: ContinuousIntegration | None = None
