"""A repository of a test's own: charts to change, a releases file, values."""

import copy
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tasks.helm.preparation import Sources

CHARTS = Path(__file__).parent / "charts"


@dataclass
class DescribedReleases:
    """What a test writes down; `sources` is what the rollout reads."""

    directory: Path
    releases: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @property
    def sources(self) -> Sources:
        return Sources(self.file, self.directory, {})

    @property
    def file(self) -> Path:
        return self.directory / "helm-values" / "releases.yaml"

    def add(self, name: str, own_chart: str, **changes: Any) -> None:
        """Describe a release of a copy of one of the charts beside this file."""
        if not (self.directory / "charts" / own_chart).exists():
            shutil.copytree(CHARTS / own_chart, self.directory / "charts" / own_chart)
        self.releases[name] = {
            "chart": {"source": "own", "path": f"charts/{own_chart}"},
            "namespace": "default",
            "probe": {"kind": "applied"},
            "deadline_seconds": 240,
            **changes,
        }
        self.write()

    def change(self, name: str, **changes: Any) -> None:
        self.releases[name] |= changes
        self.write()

    def drop(self, name: str) -> None:
        del self.releases[name]
        shutil.rmtree(self.file.parent / name, ignore_errors=True)
        self.write()

    def values(self, name: str, values: dict[str, Any], layer: str = "base") -> Path:
        path = self.file.parent / name / f"{layer}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    def write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # Without copies YAML would write what two releases share as an anchor and an alias.
        self.file.write_text(yaml.safe_dump({"releases": copy.deepcopy(self.releases)}), encoding="utf-8")
