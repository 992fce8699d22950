"""The Helm releases that the repository describes."""

from tasks.environment import REPOSITORY, EnvironmentName

HELM_VALUES = REPOSITORY / "helm-values"


def releases_of(environment: EnvironmentName) -> list[str]:
    """The releases with values for `environment` (`helm-values/<release>/<environment>.yaml`), by name."""
    return sorted(path.parent.name for path in HELM_VALUES.glob(f"*/{environment.value}.yaml"))
