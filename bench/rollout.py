"""The rollout of the add-ons' releases: together and one after another, with nothing to change, and its API calls."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import yaml
from pydantic import TypeAdapter

from bench.counting_proxy import counting_proxy
from bench.document import against, provenance_line, seconds, table
from bench.options import MeasurementFailed, NotMeasurable, Options
from bench.record import Measured
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, why_no_cluster
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.preparation import Sources, described_releases
from tasks.helm.rollout import Action, ReleaseResult, require_rolled_out
from tasks.helm.stage import roll_out_releases
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, Destination, mark_cluster

RELEASES = 15
SIZES = (5, 10, RELEASES)
QUICK_SIZES = (2, 4)
LARGEST_UNCHANGED_SECONDS = 20
SMALLEST_RATIO = 2
# The simulated kubelet has a pod ready at once; real ones pull an image and start, which takes this long or longer.
READY_SECONDS = 10
CHART = """
apiVersion: apps/v1
kind: Deployment
metadata: { name: "{{ .Release.Name }}" }
spec:
  minReadySeconds: {{ .Values.readySeconds }}
  selector: { matchLabels: { app: "{{ .Release.Name }}" } }
  template:
    metadata: { labels: { app: "{{ .Release.Name }}" } }
    spec:
      containers:
        - name: any
          image: registry.example.com/any:1.0.0
          resources: { requests: { cpu: 10m, memory: 16Mi } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: "{{ .Release.Name }}" }
---
apiVersion: v1
kind: Service
metadata: { name: "{{ .Release.Name }}" }
spec: { selector: { app: "{{ .Release.Name }}" }, ports: [{ port: 80 }] }
"""


@dataclass(frozen=True)
class Unchanged:
    """A rollout of so many releases that has nothing to change: seconds, requests to the API, and new revisions."""

    releases: int
    seconds: float
    requests: int
    revisions: int


@dataclass(frozen=True)
class RolledOut:
    """Seconds to install all releases, in dependency order and one by one, and rollouts with nothing to change."""

    releases: int
    together: float
    one_by_one: float
    unchanged: tuple[Unchanged, ...]

    @property
    def ratio(self) -> float:
        """How many times as fast it is together."""
        return self.one_by_one / self.together

    @property
    def requests_per_release(self) -> tuple[float, ...]:
        """How many more requests each further release takes, between neighbouring sizes."""
        pairs = zip(self.unchanged, self.unchanged[1:], strict=False)
        return tuple((more.requests - few.requests) / (more.releases - few.releases) for few, more in pairs)


RECORD = TypeAdapter(Measured[RolledOut])


@dataclass(frozen=True)
class _Bench:
    settings: Environment
    directory: Path
    destination: Destination

    def roll_out(self, needs: Mapping[str, Sequence[str]]) -> tuple[float, list[ReleaseResult]]:
        releases = {
            name: {
                "chart": {"source": "own", "path": "charts/any"},
                "namespace": "default",
                "needs": list(needed),
                "probe": {"kind": "workloads"},
                "deadline_seconds": 300,
            }
            for name, needed in needs.items()
        }
        file = self.directory / "helm-values" / "releases.yaml"
        file.write_text(yaml.safe_dump({"releases": releases}), encoding="utf-8")
        sources = Sources(file, self.directory, {})
        began = perf_counter()
        results = roll_out_releases(self.settings, {}, self.destination, sources, lambda _: None, "addons")
        spent = perf_counter() - began
        require_rolled_out(results)
        return spent, results


def measure(options: Options) -> RolledOut:
    """Install the releases of `prod` in a chain and by their needs, each from one small chart; then change nothing."""
    if reason := why_no_cluster():
        raise NotMeasurable(reason)
    sizes = QUICK_SIZES if options.quick else SIZES
    needs = _needs(sizes[-1])
    chain = dict(zip(needs, [[], *([name] for name in needs)], strict=False))
    with _cluster() as (bench, cluster):
        one_by_one, _ = bench.roll_out(chain)
        bench.roll_out({})
        together, _ = bench.roll_out(needs)
        print(f"one by one {seconds(one_by_one)}, together {seconds(together)}", flush=True)
        unchanged = tuple(_unchanged(bench, cluster, dict(list(needs.items())[:size])) for size in reversed(sizes))
    return RolledOut(len(needs), together, one_by_one, unchanged[::-1])


def _needs(size: int) -> dict[str, list[str]]:
    """The first releases of `prod` in rollout order with what they need: names and order as shipped."""
    releases = described_releases(load_environment(EnvironmentName.PROD), Sources())
    addons = {name: release for name, release in releases.items() if release.stage == "addons"}
    chosen = dict(list(addons.items())[:size])
    if len(chosen) < size:
        raise NotMeasurable(f"releases.yaml has {len(chosen)} add-ons for 'prod'; the bench takes {size}")
    return {name: [needed for needed in release.needs if needed in chosen] for name, release in chosen.items()}


def _unchanged(bench: _Bench, cluster: Cluster, needs: Mapping[str, Sequence[str]]) -> Unchanged:
    # Once before, so that what the smaller file no longer has is gone.
    _, before = bench.roll_out(needs)
    spent, results = bench.roll_out(needs)
    with counting_proxy(cluster.kubeconfig, bench.directory) as (kubeconfig, counter):
        counted = Destination(kubeconfig, bench.destination.identity, bench.destination.address)
        _Bench(bench.settings, bench.directory, counted).roll_out(needs)
        requests = counter.requests
    known = {result.name: result.revision for result in before}
    revisions = sum(result.revision - known[result.name] for result in results)
    if any(result.action is not Action.UNCHANGED for result in results):
        raise MeasurementFailed(f"a rollout with nothing to change changed something: {results}")
    print(f"{len(needs)} unchanged releases: {seconds(spent)}, {requests} requests", flush=True)
    return Unchanged(len(needs), spent, requests, revisions)


@contextmanager
def _cluster() -> Generator[tuple[_Bench, Cluster]]:
    settings = load_environment(EnvironmentName.PROD)
    account, region = settings.environment.account_id, settings.environment.region
    if account is None or region is None:
        raise NotMeasurable("the variable file of 'prod' names no account and region")
    identity = ClusterIdentity(settings.name.value, account, region, "bench")
    with tempfile.TemporaryDirectory(prefix="bench-rollout-") as scratch, running_cluster() as cluster:
        cluster.add_nodes([SimulatedNode("bench", f"{region}a", region)])
        with open_connection(cluster.kubeconfig) as connection:
            mark_cluster(connection, identity)
        directory = Path(scratch)
        _write_chart(directory / "charts" / "any")
        (directory / "helm-values").mkdir()
        yield _Bench(settings, directory, Destination(cluster.kubeconfig, identity, ClusterAddress("", ""))), cluster


def _write_chart(directory: Path) -> None:
    (directory / "templates").mkdir(parents=True)
    (directory / "templates" / "any.yaml").write_text(CHART, encoding="utf-8")
    described = {"apiVersion": "v2", "name": "any", "version": "1.0.0"}
    (directory / "Chart.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    (directory / "values.yaml").write_text(yaml.safe_dump({"readySeconds": READY_SECONDS}), encoding="utf-8")


def tables(record: Measured[RolledOut]) -> str:
    """The section of the document."""
    result = record.result
    last = result.unchanged[-1]
    together = against(
        f"**{result.ratio:.1f} times as fast**", f"at least {SMALLEST_RATIO}", result.ratio >= SMALLEST_RATIO
    )
    fast = last.seconds < LARGEST_UNCHANGED_SECONDS
    rows = [
        (f"{result.releases} releases, one after another", seconds(result.one_by_one)),
        ("the same in dependency order, together", f"{seconds(result.together)}, {together}"),
        (
            f"{last.releases} releases with nothing to change",
            against(seconds(last.seconds), f"under {LARGEST_UNCHANGED_SECONDS} s", fast),
        ),
        ("new revisions then", against(str(last.revisions), "none", last.revisions == 0)),
        *(
            (f"requests to the API for {each.releases} unchanged releases", str(each.requests))
            for each in result.unchanged
        ),
        ("requests for each further release", " and ".join(f"{count:g}" for count in result.requests_per_release)),
    ]
    return "\n\n".join([provenance_line(record), table(("what", "figure"), rows)])
