"""`helm-values/releases.yaml`: which releases there are, from which chart, in which order, proved by what."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError, WithJsonSchema

from tasks.environment import REPOSITORY
from tasks.environment.literals import NotLiteral
from tasks.environment.refusals import explain
from tasks.environment.section import Name, Section, Text
from tasks.helm.yaml_literals import read_yaml_literals
from tasks.kubernetes.probe_kinds import Probe

RELEASES_FILE = REPOSITORY / "helm-values" / "releases.yaml"
DIRECTORY_VARIABLE = "AGENTIC_EKS_HELM_VALUES"

# Helm's own limit, so that names which charts derive from it stay below 63 characters.
RELEASE_NAME = r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?"

ExactVersion = Annotated[
    str,
    Field(
        pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$",
        description='an exact version, such as "1.14.1": neither a range nor "latest"',
    ),
]
Digest = Annotated[
    str,
    Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description='the SHA-256 of the archive that `helm pull` gives, as "sha256:" and 64 hex digits',
    ),
]
HttpsAddress = Annotated[
    str, Field(pattern=r"^https?://[^\s]+$", description='an address such as "https://charts.example.com"')
]
OciAddress = Annotated[str, Field(pattern=r"^oci://[^\s]+$", description='an address such as "oci://registry/charts"')]
OwnPath = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9/-]*$", description='a directory of the repository such as "infra/charts/capacity"'),
]


# The stages that roll releases out, in the order of the lifecycle: a release may need those of earlier ones.
Stage = Literal["addons", "models", "knowledge", "agents"]
STAGES: tuple[Stage, ...] = get_args(Stage)

ChartValues = Annotated[dict[str, object], WithJsonSchema({"type": "object"})]


class HttpsChart(Section):
    """A chart of a repository with an index. Without a `digest` it can be fetched and looked at, not rolled out."""

    source: Literal["https"]
    repository: HttpsAddress
    name: Name
    version: ExactVersion
    digest: Digest | None = None


class OciChart(Section):
    """A chart of a container registry, at `<repository>/<name>`. Without a `digest` as above."""

    source: Literal["oci"]
    repository: OciAddress
    name: Name
    version: ExactVersion
    digest: Digest | None = None


class OwnChart(Section):
    """A chart that lies in this repository: the commit fixes its version and its content."""

    source: Literal["own"]
    path: OwnPath


RemoteChart = HttpsChart | OciChart
Chart = Annotated[HttpsChart | OciChart | OwnChart, Field(discriminator="source")]


class RenderedCrds(Section):
    """CRDs that are no files of the chart's `crds/`: another chart has them, or templates that `values` switch on."""

    chart: Chart | None = None
    values: ChartValues = Field(default={})


class Release(Section):
    """One release. `enabled_by` is a key of the environment file: null, false or empty there means not installed.

    `stage` is the flow that rolls it out; `deadline_seconds` bounds the installation and, once more, its probe.
    """

    stage: Stage = "addons"
    chart: Chart
    namespace: Name
    needs: tuple[Name, ...] = ()
    enabled_by: Text | None = None
    crds: RenderedCrds | None = None
    probe: Probe
    deadline_seconds: Annotated[int, Field(ge=10, le=3600)]


class ReleasesFile(Section):
    """All releases, by name."""

    releases: dict[str, Release]


class InvalidReleases(Exception):
    """A file below helm-values cannot be used: says which file, line and key, and what is allowed there."""


def releases_file() -> Path:
    """The file that describes the releases: in `helm-values`, or in the directory that AGENTIC_EKS_HELM_VALUES names.

    A team may keep its own releases and values beside a clone that it does not change.
    """
    directory = os.environ.get(DIRECTORY_VARIABLE)
    return Path(directory) / RELEASES_FILE.name if directory else RELEASES_FILE


def load_releases(path: Path = RELEASES_FILE) -> dict[str, Release]:
    """Read the releases, by name.

    Raises:
        InvalidReleases: the file is missing, no YAML, or a key, type or value in it is wrong.
    """
    try:
        literals = read_yaml_literals(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidReleases(f"{path} cannot be read: {error}") from error
    except NotLiteral as error:
        raise InvalidReleases(f"{path}:{error}") from error
    try:
        file = ReleasesFile.model_validate_json(json.dumps(literals.values))
    except ValidationError as error:
        problems = explain(error, ReleasesFile.model_json_schema(), literals)
        raise InvalidReleases("\n".join(f"{path}:{problem}" for problem in problems)) from error
    for name, release in file.releases.items():
        if not re.fullmatch(RELEASE_NAME, name):
            line = literals.line_of(("releases", name))
            raise InvalidReleases(
                f"{path}:{line}: releases.{name}: Helm allows no such name; allowed are up to 53 of a-z, 0-9 and -, "
                "starting with a letter"
            )
        for index, needed in enumerate(release.needs):
            line = literals.line_of(("releases", name, "needs", index))
            if needed not in file.releases:
                raise InvalidReleases(
                    f"{path}:{line}: releases.{name}.needs names the unknown release {needed!r}; "
                    f"allowed are {', '.join(sorted(file.releases))}"
                )
            later = file.releases[needed].stage
            if STAGES.index(later) > STAGES.index(release.stage):
                raise InvalidReleases(
                    f"{path}:{line}: releases.{name}.needs names {needed!r} of the stage {later!r}, which comes after "
                    f"its own stage {release.stage!r}; the order is {', '.join(STAGES)}"
                )
    return dict(file.releases)
