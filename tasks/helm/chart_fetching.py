"""Fills the chart cache: every chart of others that releases need, each archive checked by its digest."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tasks.helm.charts import ChartAway, chart_path, pull
from tasks.helm.command import Helm, HelmFailed
from tasks.helm.releases_file import InvalidReleases, OwnChart, Release, RemoteChart

AT_ONCE = 4


@dataclass(frozen=True)
class FetchedChart:
    """One chart of a release, at `key` of its entry in releases.yaml.

    `digest` is that of the archive, and None where it could not be had, for which `problem` stands. `refused` says
    that the file is wrong, and not that somebody does not answer.
    """

    release: str
    key: str
    chart: RemoteChart
    digest: str | None
    problem: str = ""
    refused: bool = False

    @property
    def unrecorded(self) -> bool:
        """Whether the archive is there, and the file does not name it yet."""
        return self.digest is not None and self.chart.digest is None


def fetch_charts(releases: Mapping[str, Release], helm: Helm) -> list[FetchedChart]:
    """Have every chart of others in the cache; one that cannot be had stands there with its reason."""
    wanted = [
        (name, key, chart)
        for name, release in releases.items()
        for key, chart in (("chart", release.chart), ("crds.chart", release.crds.chart if release.crds else None))
        if chart is not None and not isinstance(chart, OwnChart)
    ]

    def one(entry: tuple[str, str, RemoteChart]) -> FetchedChart:
        name, key, chart = entry
        try:
            return FetchedChart(name, key, chart, _fetched(name, chart, helm))
        except InvalidReleases as error:
            return FetchedChart(name, key, chart, None, str(error), refused=True)
        except (ChartAway, HelmFailed) as error:
            return FetchedChart(name, key, chart, None, str(error))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, wanted))


def _fetched(name: str, chart: RemoteChart, helm: Helm) -> str:
    if chart.digest is None:
        return pull(name, chart, helm)
    chart_path(name, chart, helm)
    return chart.digest
