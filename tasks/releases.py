"""The Helm releases that the repository describes."""

from pathlib import Path

from tasks.environment import REPOSITORY, EnvironmentName

HELM_VALUES = REPOSITORY / "helm-values"


def releases_of(environment: EnvironmentName, directory: Path = HELM_VALUES) -> list[str]:
    """The releases with values for `environment` (`<release>/<environment>.yaml` in `directory`), by name."""
    return sorted(path.parent.name for path in directory.glob(f"*/{environment.value}.yaml"))
