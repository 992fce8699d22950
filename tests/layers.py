"""The layers of the test suite: which programs each needs, and how to get them.

A layer whose programs are missing is skipped with its reason; when it is named in the environment
variable REQUIRE_LAYERS (a comma-separated list), every skip of it is a failure.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.cluster import why_no_cluster
from tasks.environment import REPOSITORY
from tests.images.containers import why_no_images
from tests.opensearch import why_opensearch_cannot_run
from tests.postgres import why_postgres_cannot_run
from tests.valkey import why_valkey_cannot_run
from tests.workflows.actionlint import why_no_actionlint


@dataclass(frozen=True)
class Layer:
    """Tests that carry the pytest marker `marker`; `missing` says why they cannot run here, or None."""

    marker: str
    what: str
    missing: Callable[[], str | None]
    how_to_get: str


def _program(*names: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        return None if any(shutil.which(name) for name in names) else f"none of {names!r} is on PATH"

    return missing


def _file(path: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        return None if (REPOSITORY / path).is_file() else f"there is no {path!r}"

    return missing


def _always() -> None:
    return None


LAYERS = (
    Layer("prefect_server", "a real Prefect server", _always, "make test installs it"),
    Layer("platform", "the local platform's own processes", _always, "make test installs it"),
    Layer("opensearch", "a real OpenSearch 3.5.0 with k-NN", why_opensearch_cannot_run, "Maven and Java 21 or newer"),
    Layer("postgres", "a real PostgreSQL", why_postgres_cannot_run, "apt install postgresql"),
    Layer("valkey", "a real Valkey or Redis", why_valkey_cannot_run, "apt install valkey-server or redis-server"),
    Layer(
        "browser", "a real Chromium", _program("chromium", "chromium-browser", "google-chrome"), "apt install chromium"
    ),
    Layer("terraform", "Terraform", _program("terraform"), "terraform 1.11 or newer on PATH"),
    Layer("kubernetes", "a real Kubernetes control plane, Karpenter and KubeRay", why_no_cluster, "Go 1.26 or newer"),
    Layer("promtool", "Prometheus's promtool", _program("promtool"), "apt install prometheus"),
    Layer("buildah", "images built by buildah and started", why_no_images, "apt install buildah debootstrap, and root"),
    Layer("actionlint", "GitHub's workflows, read by actionlint", why_no_actionlint, "Go 1.26 or newer"),
    Layer("checkov", "checkov", _file(".venv-checkov/bin/checkov"), "make test installs it"),
)


def required_layers() -> frozenset[str]:
    """The markers of REQUIRE_LAYERS; raises ValueError for one that does not exist."""
    named = frozenset(filter(None, os.environ.get("REQUIRE_LAYERS", "").split(",")))
    unknown = named - {layer.marker for layer in LAYERS}
    if unknown:
        raise ValueError(f"REQUIRE_LAYERS names {sorted(unknown)!r}; there are {[layer.marker for layer in LAYERS]!r}")
    return named


def missing_layers() -> dict[str, str]:
    """Why the tests of a layer cannot run here, by marker; layers that can run are left out."""
    return {layer.marker: reason for layer in LAYERS if (reason := layer.missing()) is not None}


def layer_lines(ran: Mapping[str, int], missing: Mapping[str, str]) -> list[str]:
    """The table at the end of a test run: layer, tests that ran or why none did, and how to get it.

    `ran` counts the tests that ran, by marker.
    """
    rows = [
        (
            layer.what,
            f"not run: {missing[layer.marker]}" if layer.marker in missing else f"{ran.get(layer.marker, 0)} tests ran",
            layer.how_to_get if layer.marker in missing else "",
        )
        for layer in LAYERS
    ]
    width = max(len(what) for what, _, _ in rows)
    return [f"{what:<{width}}  {outcome}{f' (get it: {how})' if how else ''}" for what, outcome, how in rows]
