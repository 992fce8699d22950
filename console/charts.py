"""`python -m console charts`: every chart of others into the cache, and the digests that releases.yaml lacks."""

from typing import Annotated

import typer

from console.failures import INPUT_WRONG, WORK_FAILED, explained
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.chart_fetching import FetchedChart, fetch_charts
from tasks.helm.charts import chart_cache
from tasks.helm.command import open_helm
from tasks.helm.preparation import Sources, described_releases
from tasks.helm.releases_file import InvalidReleases, releases_file
from tasks.kubernetes.binaries import MissingBinary


def charts(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose releases need the charts.")],
) -> None:
    """Fetch the charts of the environment's releases and check each by its digest; print the digests to be recorded.

    Exits with 2 when releases.yaml is wrong, and with 1 when a chart cannot be had.
    """
    with explained((MissingBinary,), (InvalidReleases,)):
        file = releases_file()
        releases = described_releases(load_environment(environment), Sources(file))
        with open_helm(None) as helm:
            fetched = fetch_charts(releases, helm)
    missing = [chart for chart in fetched if chart.digest is None]
    unrecorded = [chart for chart in fetched if chart.unrecorded]
    typer.echo(f"{len(fetched) - len(missing)} of {len(fetched)} charts are in {chart_cache()}")
    if unrecorded:
        typer.echo(f"\n{file} lacks the digest of {len(unrecorded)}; look at each chart, then put in:")
    for chart in unrecorded:
        typer.echo(f"  releases.{chart.release}.{chart.key} ({chart.chart.name} {chart.chart.version}):")
        typer.echo(f"    digest: {chart.digest}")
    for chart in missing:
        typer.echo(chart.problem, err=True)
    raise typer.Exit(_exit_code(fetched))


def _exit_code(fetched: list[FetchedChart]) -> int:
    if any(chart.refused for chart in fetched):
        return INPUT_WRONG
    return WORK_FAILED if any(chart.digest is None for chart in fetched) else 0
