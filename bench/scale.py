"""Many simulated nodes from the node pools of `prod`: how long Karpenter takes, in what memory, what a rollout asks.

Each pod takes a tenth of a node, so that the pods decide how many nodes there are. The nodes run nothing: what a real
one takes to start, and what kubelets ask of the API, is not in these figures.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
import yaml
from pydantic import TypeAdapter

from bench.counting_proxy import counting_proxy
from bench.document import against, provenance_line, seconds, table
from bench.options import MeasurementFailed, NotMeasurable, Options
from bench.record import Measured
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, running_karpenter, why_no_cluster
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.derived_values import DERIVATIONS
from tasks.helm.preparation import Sources
from tasks.helm.rollout import Action, ReleaseResult, require_rolled_out
from tasks.helm.stage import roll_out_releases
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, Destination, mark_cluster

PODS, QUICK_PODS = 2000, 100
DEPLOYMENTS = 20
DEADLINE_SECONDS = 3600
GIB = 2**30
CHARTS = ("access", "capacity")
READY = {"kind": "condition", "group": "karpenter.sh", "version": "v1", "plural": "nodepools", "condition": "Ready"}
# A size of 4 vCPU, of which ten pods take all that a node has to give.
LOAD = """
{{- range $index := until (int .Values.deployments) }}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: "load-{{ $index }}" }
spec:
  replicas: {{ $.Values.replicas }}
  selector: { matchLabels: { app: "load-{{ $index }}" } }
  template:
    metadata: { labels: { app: "load-{{ $index }}" } }
    spec:
      nodeSelector: { kubernetes.io/arch: arm64, karpenter.k8s.aws/instance-size: xlarge }
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: DoNotSchedule
          labelSelector: { matchLabels: { app: "load-{{ $index }}" } }
      containers:
        - name: any
          image: registry.example.com/any:1.0.0
          resources: { requests: { cpu: 390m, memory: 512Mi } }
{{- end }}
"""


@dataclass(frozen=True)
class Population:
    """What a cluster has, what its processes take in GiB, and what a rollout that changes nothing asks of its API."""

    nodes: int
    pods: int
    gib: float
    requests: int
    unchanged_seconds: float


@dataclass(frozen=True)
class Scaled:
    """From few nodes to many, in seconds; `releases` is how many releases a rollout looks at."""

    releases: int
    seconds: float
    few: Population
    many: Population


RECORD = TypeAdapter(Measured[Scaled])


@dataclass(frozen=True)
class _Bench:
    settings: Environment
    cluster: Cluster
    directory: Path
    identity: ClusterIdentity

    def roll_out(self, replicas: int, kubeconfig: Path | None = None) -> tuple[float, list[ReleaseResult]]:
        releases = self.directory / "helm-values" / "releases.yaml"
        releases.write_text(yaml.safe_dump({"releases": _releases()}), encoding="utf-8")
        values = self.directory / "helm-values" / "load" / "base.yaml"
        values.write_text(yaml.safe_dump({"deployments": DEPLOYMENTS, "replicas": replicas}), encoding="utf-8")
        own = {name: DERIVATIONS[name] for name in CHARTS}
        destination = Destination(kubeconfig or self.cluster.kubeconfig, self.identity, ClusterAddress("", ""))
        sources = Sources(releases, self.directory, own)
        began = perf_counter()
        results = roll_out_releases(self.settings, _outputs(), destination, sources, lambda _: None, "addons")
        spent = perf_counter() - began
        require_rolled_out(results)
        return spent, results

    def population(self, replicas: int) -> Population:
        spent, results = self.roll_out(replicas)
        if any(result.action is not Action.UNCHANGED for result in results):
            raise MeasurementFailed(f"a rollout with nothing to change changed something: {results}")
        with counting_proxy(self.cluster.kubeconfig, self.directory) as (kubeconfig, counter):
            self.roll_out(replicas, kubeconfig)
            requests = counter.requests
        nodes = len(self.cluster.api.list("/api/v1/nodes"))
        pods = len(self.cluster.api.list("/api/v1/pods"))
        found = Population(nodes, pods, _memory_gib(), requests, spent)
        print(f"{nodes} nodes, {pods} pods: {found.gib:.2f} GiB, {requests} requests for nothing", flush=True)
        return found


def measure(options: Options) -> Scaled:
    """Roll out a load of one pod a Deployment, then of so many that they fill the nodes."""
    if reason := why_no_cluster():
        raise NotMeasurable(reason)
    settings = load_environment(EnvironmentName.PROD)
    account, region = settings.environment.account_id, settings.environment.region
    if settings.network is None or account is None or region is None:
        raise NotMeasurable("the variable file of 'prod' names no account, region and zones")
    zones = sorted(settings.network.zones)
    identity = ClusterIdentity(settings.name.value, account, region, "bench")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-scale-")))
        _write_sources(directory)
        cluster = stack.enter_context(running_cluster())
        cluster.add_nodes(SimulatedNode(f"system-{zone}", zone, region) for zone in zones)
        stack.enter_context(running_karpenter(cluster, zones))
        with open_connection(cluster.kubeconfig) as connection:
            mark_cluster(connection, identity)
        bench = _Bench(settings, cluster, directory, identity)
        bench.roll_out(1)
        few = bench.population(1)
        replicas = (QUICK_PODS if options.quick else PODS) // DEPLOYMENTS
        spent, _ = bench.roll_out(replicas)
        print(f"{replicas * DEPLOYMENTS} pods: {seconds(spent)}", flush=True)
        return Scaled(len(_releases()), spent, few, bench.population(replicas))


def _releases() -> dict[str, Any]:
    own = {"namespace": "kube-system", "deadline_seconds": DEADLINE_SECONDS}
    return {
        "access": {**own, "chart": _chart("access"), "probe": {"kind": "applied"}},
        "capacity": {**own, "chart": _chart("capacity"), "probe": READY},
        "load": {
            **own,
            "chart": _chart("load"),
            "namespace": "default",
            "needs": ["capacity"],
            "probe": {"kind": "workloads"},
        },
    }


def _chart(name: str) -> dict[str, str]:
    return {"source": "own", "path": f"infra/charts/{name}"}


def _outputs() -> Mapping[str, Any]:
    text = (REPOSITORY / "infra" / "tests" / "outputs" / "prod.json").read_text(encoding="utf-8")
    return {name: output["value"] for name, output in json.loads(text).items()}


def _write_sources(directory: Path) -> None:
    for name in CHARTS:
        shutil.copytree(REPOSITORY / "infra" / "charts" / name, directory / "infra" / "charts" / name)
    load = directory / "infra" / "charts" / "load"
    (load / "templates").mkdir(parents=True)
    (load / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "load", "version": "1.0.0"}))
    (load / "templates" / "load.yaml").write_text(LOAD, encoding="utf-8")
    (directory / "helm-values" / "load").mkdir(parents=True)


def _memory_gib() -> float:
    """What the processes of the cluster take: all that this one started."""
    return sum(process.memory_info().rss for process in psutil.Process().children(recursive=True)) / GIB


def tables(record: Measured[Scaled]) -> str:
    """The section of the document."""
    result = record.result
    few, many = result.few, result.many
    constant = many.requests == few.requests
    asked = against(f"{few.requests} and {many.requests}", "constant", constant)
    rows = [
        (f"from {few.nodes} nodes and {few.pods} pods to {many.nodes} and {many.pods}", seconds(result.seconds)),
        ("memory of control plane, Karpenter and simulator", f"{few.gib:.2f} and {many.gib:.2f} GiB"),
        (f"requests to the API for {result.releases} unchanged releases, few nodes and many", asked),
        ("such a rollout takes", f"{seconds(few.unchanged_seconds)} and {seconds(many.unchanged_seconds)}"),
    ]
    return "\n\n".join([provenance_line(record), table(("what", "figure"), rows)])
