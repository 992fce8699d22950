"""What a rehearsal says while it runs, and what it says it proved at the end."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from rehearsal.aws import EmulatedAws
from rehearsal.aws.front import ON_MINISTACK
from rehearsal.aws.not_creatable import not_creatable
from rehearsal.clients import client_of
from tasks.environment import Environment, EnvironmentName
from tasks.terraform.state_bucket import state_location

# Beside the types of resources that are left out.
NOT_PROVED = (
    "whether AWS grants the permissions: the emulators check no policies and no signatures",
    "how long AWS takes, and its quotas: the emulators answer at once and never run out",
    "what runs inside: no cluster, database or cache is started, only recorded",
)


@dataclass
class Report:
    """Collects what was proved; prints as it goes."""

    environment: EnvironmentName
    console: Console = field(default_factory=Console)
    _proved: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])
    _resources: Counter[str] = field(default_factory=Counter[str])
    _began: float = field(default_factory=time.monotonic)

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

    def add_resources(self, aws: EmulatedAws, settings: Environment) -> None:
        """Count what Terraform's state holds."""
        location = state_location(settings)
        state = client_of(aws, "s3").get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        for resource in json.loads(state)["resources"]:
            if resource["mode"] == "managed":
                self._resources[resource["type"]] += len(resource["instances"])

    def end(self) -> None:
        """Print what was proved by real programs, what on an emulator, and what not at all."""
        real = Table("stage", "what it did", "seconds", title="By real programs: Terraform, its AWS provider, Prefect")
        for deployment, what, seconds in self._proved:
            real.add_row(deployment, what, f"{seconds:.0f}")
        emulated = Table("emulator", "resources", "types", title="By an emulator in the place of AWS")
        for emulator, types in _by_emulator(self._resources).items():
            emulated.add_row(emulator, str(sum(self._resources[each] for each in types)), str(len(types)))
        unproved = Table("what", "why", title="Not at all")
        for entry in not_creatable():
            unproved.add_row(entry.type, entry.reason)
        for what in NOT_PROVED:
            unproved.add_row(*what.split(": ", 1))
        for table in (real, emulated, unproved):
            self.console.print(table)


def _by_emulator(resources: Counter[str]) -> dict[str, list[str]]:
    prefixes = tuple(f"aws_{service}_" for service in ON_MINISTACK)
    return {
        "moto": [each for each in resources if not each.startswith(prefixes)],
        "ministack": [each for each in resources if each.startswith(prefixes)],
    }
