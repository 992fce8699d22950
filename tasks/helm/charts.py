"""Where the chart of a release lies: in the repository, or in a cache filled by `helm pull` and checked by digest."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

import yaml

from tasks.cache_directory import cache_directory
from tasks.environment import REPOSITORY
from tasks.helm.command import Helm, HelmFailed
from tasks.helm.releases_file import Chart, InvalidReleases, OwnChart, RemoteChart

CACHE_VARIABLE = "AGENTIC_EKS_CHARTS"
PULL_SECONDS = 120
_NO_SUCH_VERSION = re.compile(
    r"no chart version found|not found|improper constraint|no matching|failed to resolve reference"
)
_OFFLINE = re.compile(r"no such host|connection refused|i/o timeout|cannot be reached|network is unreachable|dial tcp")


class ChartAway(Exception):
    """A chart is not in the cache, and its repository does not answer: nothing can be said about its release."""


class DigestMissing(ChartAway):
    """The file does not say which archive of a chart is meant: nobody has looked at it yet."""


def chart_cache() -> Path:
    """Where pulled charts lie: what AGENTIC_EKS_CHARTS names, or a directory in the user's cache."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else cache_directory("charts")


def chart_digest(name: str, chart: Chart, repository: Path = REPOSITORY) -> str | None:
    """What identifies the chart's content, with no network: the digest of the file, or that of an own chart's files.

    None where releases.yaml has none yet.

    Raises:
        InvalidReleases: an own chart is not there.
    """
    if not isinstance(chart, OwnChart):
        return chart.digest
    directory = _own(name, chart, repository)
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode() + content)
    return f"sha256:{digest.hexdigest()}"


def chart_path(name: str, chart: Chart, helm: Helm, repository: Path = REPOSITORY) -> Path:
    """The chart of the release `name` as a directory or an archive; a remote one is pulled unless it is cached.

    Raises:
        InvalidReleases: the chart or version does not exist, or its digest differs from the file's.
        ChartAway: the chart is not cached and its repository does not answer, or the file has no digest of it.
    """
    if isinstance(chart, OwnChart):
        return _own(name, chart, repository)
    if chart.digest is None:
        raise DigestMissing(
            f"releases.{name}: the chart {chart.name} {chart.version} has no digest, so nothing says which archive is "
            "meant; `make charts` fetches it, and prints the line to put in"
        )
    cached = cached_archive(chart, chart.digest)
    if not (cached.is_file() and file_digest(cached) == chart.digest):
        pull(name, chart, helm)
    return cached


def cached_archive(chart: RemoteChart, digest: str) -> Path:
    """Where an archive lies in the cache. The digest names it: two repositories may have charts of the same name."""
    return chart_cache() / f"{chart.name}-{chart.version}-{digest.removeprefix('sha256:')[:12]}.tgz"


def _own(name: str, chart: OwnChart, repository: Path) -> Path:
    directory = repository / chart.path
    if (directory / "Chart.yaml").is_file():
        return directory
    parent = directory.parent
    known = sorted(path.parent.relative_to(repository).as_posix() for path in parent.glob("*/Chart.yaml"))
    raise InvalidReleases(
        f"releases.{name}.chart.path = {chart.path!r}: {directory} has no Chart.yaml; allowed are "
        f"{', '.join(known) or 'none, as no chart lies beside it'}"
    )


def pull(name: str, chart: RemoteChart, helm: Helm) -> str:
    """Pull a remote chart into the cache and return its digest, which must be the file's where that has one.

    Raises:
        InvalidReleases: the chart or version does not exist, or its digest differs from the file's.
        ChartAway: its repository does not answer.
        HelmFailed: the repository refuses for another reason.
    """
    chart_cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chart_cache()) as scratch:
        arguments = ["pull", *_reference(chart), "--version", chart.version, "--destination", scratch]
        try:
            helm.fetch(f"pull the chart of {name!r}", arguments, PULL_SECONDS)
        except HelmFailed as error:
            raise _refusal(name, chart, helm, str(error)) from error
        (archive,) = Path(scratch).glob("*.tgz")
        found = file_digest(archive)
        if chart.digest is not None and found != chart.digest:
            raise InvalidReleases(
                f"releases.{name}.chart.digest = {chart.digest!r}, but {chart.name} {chart.version} of "
                f"{chart.repository} has {found!r}: someone replaced the chart, or the file was not updated with the "
                "version; look at the chart before you take the new digest"
            )
        archive.replace(cached_archive(chart, found))
    return found


def _reference(chart: RemoteChart) -> list[str]:
    if chart.source == "oci":
        return [f"{chart.repository}/{chart.name}"]
    return [chart.name, "--repo", chart.repository]


def _refusal(name: str, chart: RemoteChart, helm: Helm, message: str) -> Exception:
    if _OFFLINE.search(message):
        return ChartAway(
            f"the chart {chart.name} {chart.version} of {name!r} is not in {chart_cache()}, and "
            f"{chart.repository} does not answer: {message}"
        )
    if not _NO_SUCH_VERSION.search(message):
        return HelmFailed(message)
    return InvalidReleases(
        f"releases.{name}.chart.version = {chart.version!r}: {chart.repository} has no such version of {chart.name!r}; "
        f"{_newest(chart, helm)}"
    )


def _newest(chart: RemoteChart, helm: Helm) -> str:
    try:
        shown = helm.fetch(f"look for {chart.name!r}", ["show", "chart", *_reference(chart)], PULL_SECONDS)
    except HelmFailed:
        return f"it has no chart {chart.name!r} at all"
    return f"its newest is {yaml.safe_load(shown)['version']!r}"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, as releases.yaml has it."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
