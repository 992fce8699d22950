"""The tags by which Prefect objects of ours are recognised, and those of one environment."""

from tasks.environment import EnvironmentName

MANAGED_TAG = "managed-by:agentic-eks"


def managed_tags(environment: EnvironmentName) -> tuple[str, str]:
    """The tags of all that a deploy of `environment` makes, where Prefect has tags."""
    return MANAGED_TAG, f"environment:{environment.value}"
