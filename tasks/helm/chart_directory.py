"""Charts of a directory that a person filled: archives as `helm pull` names them, or unpacked ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from tasks.environment import REPOSITORY
from tasks.helm.command import Helm
from tasks.helm.releases_file import Chart, InvalidReleases, OwnChart


class ChartNotThere(Exception):
    """The directory has no such chart: says which one, and how to get it."""


@dataclass(frozen=True)
class ChartDirectory:
    """The charts of `directory`; own charts come from the repository.

    Unlike the rollout it takes a chart by name and version, without its digest: nothing of it is installed.
    """

    directory: Path
    helm: Helm
    repository: Path = REPOSITORY

    def find(self, chart: Chart) -> Path:
        """The archive or directory of a chart.

        Raises:
            ChartNotThere: it is neither there nor in the repository.
            InvalidReleases: what lies there under the version's name is another version.
        """
        if isinstance(chart, OwnChart):
            return self._own(chart)
        archives = sorted(self.directory.glob(f"{chart.name}-{chart.version}*.tgz"))
        unpacked = [path for path in (self.directory / chart.name,) if (path / "Chart.yaml").is_file()]
        for found in (*archives, *unpacked):
            self._require(found, chart.name, chart.version)
            return found
        raise ChartNotThere(
            f"{self.directory} has no chart {chart.name} {chart.version}: run `helm pull` there, or unpack it as "
            f"{chart.name}/; it comes from {chart.repository}"
        )

    def _own(self, chart: OwnChart) -> Path:
        directory = self.repository / chart.path
        if not (directory / "Chart.yaml").is_file():
            raise ChartNotThere(f"{directory} has no Chart.yaml")
        return directory

    def _require(self, found: Path, name: str, version: str) -> None:
        shown = yaml.safe_load(self.helm.run(f"read {found.name}", ["show", "chart", str(found)], 60))
        described = cast(Mapping[str, Any], shown)
        # A leading v does not count: charts are found under the version that they were pulled as.
        if (described["name"], str(described["version"]).removeprefix("v")) != (name, version.removeprefix("v")):
            raise InvalidReleases(
                f"{found} is {described['name']} {described['version']}, but releases.yaml has {name} {version}"
            )
