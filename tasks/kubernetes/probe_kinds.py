"""The probes that a release can name in `helm-values/releases.yaml`: what is looked at to prove that it works."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.environment.section import Section, Text


class AppliedProbe(Section):
    """Everything that the release consists of is there: enough for what no controller answers, as a storage class."""

    kind: Literal["applied"]


class WorkloadsProbe(Section):
    """Every Deployment, StatefulSet and DaemonSet of the release has all its pods ready, on nodes that run them."""

    kind: Literal["workloads"]


class WebhooksProbe(Section):
    """The workloads are ready, and each webhook of the release has its certificate authority and ready endpoints."""

    kind: Literal["webhooks"]


class ConditionProbe(Section):
    """The controller accepted what the release declares: each object of one resource reports a condition as true."""

    kind: Literal["condition"]
    group: Text
    version: Text
    plural: Text
    condition: Text
    namespace: Text | None = None


Probe = Annotated[
    AppliedProbe | WorkloadsProbe | WebhooksProbe | ConditionProbe,
    Field(discriminator="kind"),
]
