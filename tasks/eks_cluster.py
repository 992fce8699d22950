"""The EKS cluster of an environment as AWS describes it."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.resource_names import name_prefix

# The Kubernetes API answers, and nodes may run.
USABLE = frozenset({"ACTIVE", "UPDATING"})


@dataclass(frozen=True)
class EksCluster:
    """One cluster; `version` is the Kubernetes minor of its control plane, such as "1.35"."""

    name: str
    arn: str
    status: str
    version: str

    @property
    def usable(self) -> bool:
        """Whether its Kubernetes API answers."""
        return self.status in USABLE


def find_cluster(settings: Environment) -> EksCluster | None:
    """Ask EKS for the environment's cluster; None where there is none.

    Raises:
        MissingCredentials: AWS refuses the credentials.
    """
    eks = client("eks", settings)
    with explained_credentials():
        try:
            found = eks.describe_cluster(name=name_prefix(settings.name))["cluster"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
            return None
    return EksCluster(found["name"], found["arn"], found["status"], found["version"])
