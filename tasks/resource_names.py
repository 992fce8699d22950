"""What the names of an environment's things in AWS start with, as infra/main.tf gives them."""

from tasks.environment import EnvironmentName

PROJECT = "agentic-eks"


def name_prefix(environment: EnvironmentName) -> str:
    """What every name of the environment starts with, and the whole name of its cluster, such as `agentic-eks-dev`."""
    return f"{PROJECT}-{environment.value}"
