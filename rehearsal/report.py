"""What a rehearsal says while it runs, and what it says it proved at the end."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from rehearsal.aws import EmulatedAws
from rehearsal.aws.front import ON_MINISTACK
from rehearsal.aws.not_creatable import not_creatable
from rehearsal.clients import client_of
from rehearsal.stand_in_charts import RehearsedCharts
from rehearsal.versions import Versions
from tasks.environment import Environment, EnvironmentName
from tasks.kubernetes.probe_result import Outcome
from tasks.terraform.state_bucket import state_location

REAL = (
    "By real programs: Terraform, its AWS provider, Prefect, Helm, Kubernetes' control plane, Karpenter, KubeRay's "
    "operator"
)
# Beside the types of resources that are left out, and the releases.
NOT_PROVED = (
    ("whether AWS grants the permissions", "the emulators check no policies and no signatures"),
    ("how long AWS takes, and its quotas", "the emulators answer at once and never run out"),
    ("what runs inside databases and caches", "none is started, only recorded"),
    ("what runs inside pods", "nodes are simulated: a pod becomes ready, and runs nothing"),
    ("volumes", "the EBS CSI driver is played: a claim gets one at once, without a disk"),
    ("what Ray says of its applications", "its interface is played: each runs at once"),
    ("node classes (EC2NodeClass)", "node pools are made to refer to a class of simulated nodes"),
    ("what EKS's access policies for admins, editors and readers grant", "EKS's authorizer is not there, only RBAC"),
    ("runs in pods of the work pool for the cluster", "they are processes of this machine"),
    ("images", "none is built or pulled"),
    ("models' weights", "files of a few kilobytes stand in for them"),
)


@dataclass
class Report:
    """Collects what was proved; prints as it goes.

    `charts` and `versions` are what is rehearsed with, `webhooks` the names of those that were taken away.
    """

    environment: EnvironmentName
    charts: RehearsedCharts
    versions: Sequence[Versions]
    console: Console = field(default_factory=Console)
    _proved: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])
    _left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _releases: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    webhooks: Sequence[str] = ()
    _resources: Counter[str] = field(default_factory=Counter[str])
    _began: float = field(default_factory=time.monotonic)
    _since: float = field(default_factory=time.monotonic)

    def step(self, what: str) -> None:
        """Say what begins now."""
        self._began = time.monotonic()
        self.console.print(f"... {what}", highlight=False, markup=False)

    def show(self, page: str) -> None:
        """Show a page that a stage published."""
        self.console.print(Markdown(page))

    def proved(self, deployment: str, what: str) -> None:
        """A stage did what is expected of it, since the last step began."""
        seconds = time.monotonic() - self._began
        self._proved.append((deployment, what, seconds))
        self.console.print(f"    {deployment} {what} ({seconds:.0f} s)", highlight=False, markup=False)

    def left_out(self, what: str, why: str) -> None:
        """Something could not be rehearsed."""
        self._left_out.append((what, why))
        self.console.print(f"    {what} is not rehearsed: {why}", highlight=False, markup=False)

    def add_releases(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """The releases of a stage, as its artifact has them."""
        self._releases.extend(rows)

    def add_resources(self, aws: EmulatedAws, settings: Environment) -> None:
        """Count what Terraform's state holds."""
        location = state_location(settings)
        state = client_of(aws, "s3").get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        for resource in json.loads(state)["resources"]:
            if resource["mode"] == "managed":
                self._resources[resource["type"]] += len(resource["instances"])

    def end(self) -> None:
        """Print what was proved by real programs, what on an emulator, and what not at all."""
        real = _table(REAL, "stage", "what it did", "seconds")
        for deployment, what, seconds in self._proved:
            real.add_row(deployment, what, f"{seconds:.0f}")
        releases = _table("Releases", "release", "chart", "action", "probe", "what was seen")
        for row in self._releases:
            cells = (row["release"], self._chart_of(row["release"]), row["action"], row["probe"], row["seen"])
            releases.add_row(*(str(cell or "") for cell in cells))
        emulated = _table("By an emulator in the place of AWS", "emulator", "resources", "types")
        for emulator, types in _by_emulator(self._resources).items():
            emulated.add_row(emulator, str(sum(self._resources[each] for each in types)), str(len(types)))
        compared = _table("Versions", "part", "rehearsed", "shipped", "")
        for each in self.versions:
            compared.add_row(
                each.part, each.rehearsed, each.shipped or "no release yet", "DIFFERS" if each.differ else ""
            )
        unproved = _table("Not at all", "what", "why")
        for what, why in self._not_proved():
            unproved.add_row(what, why)
        for table in (real, *([releases] if self._releases else ()), emulated, compared, unproved):
            self.console.print(table)
        took = time.monotonic() - self._since
        self.console.print(f"The rehearsal of {self.environment.value!r} took {took:.0f} s.", highlight=False)

    def _chart_of(self, release: str) -> str:
        if release in self.charts.stand_ins:
            return "stand-in"
        return "real" if release in self.charts.real else "own"

    def _not_proved(self) -> Iterator[tuple[str, str]]:
        yield from self._left_out
        for name in self.charts.stand_ins:
            yield (
                f"release {name}",
                "its chart is not in the cache: `make charts` fetches it; a stand-in was used",
            )
        for row in self._releases:
            if row["probe"] == Outcome.NOT_PROVED and row["release"] not in self.charts.stand_ins:
                yield f"release {row['release']}: whether it works", str(row["seen"])
        for name in self.webhooks:
            yield f"webhook {name}", "no pod serves it here, so it was taken out of the API server's way"
        for entry in not_creatable():
            yield entry.type, entry.reason
        yield from NOT_PROVED


def _table(title: str, *columns: str) -> Table:
    """A table that cuts no name short where the terminal is narrow, or the report goes into a file."""
    table = Table(title=title)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _by_emulator(resources: Counter[str]) -> dict[str, list[str]]:
    prefixes = tuple(f"aws_{service}_" for service in ON_MINISTACK)
    return {
        "moto": [each for each in resources if not each.startswith(prefixes)],
        "ministack": [each for each in resources if each.startswith(prefixes)],
    }
