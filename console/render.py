"""`python -m console render`: every release of an environment with real charts, validated strictly."""

import json
from pathlib import Path
from typing import Annotated

import typer

from console.failures import WORK_FAILED, explained
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.data import IMAGES
from tasks.environment.variable_file import load_environment
from tasks.helm.chart_directory import ChartDirectory
from tasks.helm.charts import chart_cache
from tasks.helm.command import open_helm
from tasks.helm.derivations.agents import EMBEDDING_FINGERPRINT, FORMER_EMBEDDING_FINGERPRINT
from tasks.helm.preparation import Sources
from tasks.helm.releases_file import InvalidReleases
from tasks.helm.render_check import RenderedRelease, check_rendering
from tasks.kubernetes.binaries import MissingBinary

# Those of environments that Terraform made in an emulated account, and in their shape what no emulator makes.
SAMPLE_OUTPUTS = REPOSITORY / "infra" / "tests" / "outputs"


def render(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose releases they are.")],
    charts: Annotated[Path | None, typer.Option(help="Chart archives, or unpacked charts; default: the cache.")] = None,
    outputs: Annotated[
        Path | None, typer.Option(help="What `terraform output -json` printed; default: sample outputs.")
    ] = None,
) -> None:
    """Render every release with the charts of a directory, and say what strict schemas refuse; 1 on any finding."""
    with explained((MissingBinary,), (InvalidReleases, json.JSONDecodeError)), open_helm(None) as helm:
        settings = load_environment(environment)
        if settings.cluster is None:
            typer.echo(f"{environment.value} has no cluster, and so no releases")
            return
        text = (outputs or SAMPLE_OUTPUTS / f"{environment.value}.json").read_text(encoding="utf-8")
        values = {name: output["value"] for name, output in json.loads(text).items()}
        values["images"] = {image: f"registry.example.com/{image}@sha256:{'0' * 64}" for image in IMAGES}
        values[EMBEDDING_FINGERPRINT] = values[FORMER_EMBEDDING_FINGERPRINT] = "0" * 64
        rendered = check_rendering(settings, values, Sources(), ChartDirectory(charts or chart_cache(), helm))
    _show(rendered)
    if any(release.findings for release in rendered):
        raise typer.Exit(WORK_FAILED)


def _show(rendered: list[RenderedRelease]) -> None:
    widths = [max(len(getattr(release, column)) for release in rendered) for column in ("name", "chart")]
    for release in rendered:
        counts = f"{release.objects:4} objects {release.definitions:3} CRDs {len(release.findings):3} findings"
        typer.echo(f"{release.name:{widths[0]}}  {release.chart:{widths[1]}} {counts}  {' '.join(release.images)}")
    for release in rendered:
        for finding in release.findings:
            typer.echo(f"{release.name}: {finding}")
