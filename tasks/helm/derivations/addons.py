"""The derived values of the releases of the add-ons: names and addresses that Terraform knows, and whose image cache.

No role stands here: EKS gives it to the service account (pod identity), whose name is in the values files.
"""

from collections.abc import Mapping

from tasks.environment import Environment
from tasks.helm.derivations.derivation import Derivation, Outputs
from tasks.helm.derivations.image_cache import cached_image, cached_registry
from tasks.helm.derivations.log_pipeline import log_pipeline
from tasks.resource_names import name_prefix
from tasks.secrets.inventory import GRAFANA_TOKEN

Values = Mapping[str, object]


def karpenter(_settings: Environment, outputs: Outputs) -> Values:
    """Which cluster it brings nodes to, and where it hears of nodes that AWS takes away."""
    cluster = outputs["cluster"]
    return {
        "settings": {
            "clusterName": cluster["name"],
            "clusterEndpoint": cluster["endpoint"],
            "interruptionQueue": cluster["karpenter"]["queue_name"],
        },
        "controller": {"image": {"repository": cached_image(outputs, "public.ecr.aws/karpenter/controller")}},
    }


def aws_load_balancer_controller(settings: Environment, outputs: Outputs) -> Values:
    """The cluster and the network of its load balancers; pods cannot ask the instance for them."""
    return {
        "clusterName": outputs["cluster"]["name"],
        "region": settings.environment.region,
        "vpcId": outputs["network"]["vpc_id"],
        "defaultTags": {"Project": "agentic-eks", "Environment": settings.name.value},
        "image": {"repository": cached_image(outputs, "public.ecr.aws/eks/aws-load-balancer-controller")},
    }


def cert_manager(_settings: Environment, outputs: Outputs) -> Values:
    """Where its images come from."""
    return {"imageRegistry": cached_registry(outputs, "quay.io")}


def external_secrets(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from; the three programs share it."""
    image = {"repository": cached_image(outputs, "ghcr.io/external-secrets/external-secrets")}
    return {"image": image, "webhook": {"image": image}, "certController": {"image": image}}


def fluent_bit(settings: Environment, outputs: Outputs) -> Values:
    """Which namespace's logs go to which log group."""
    pipeline = log_pipeline(outputs["observability"]["pod_log_groups"], settings.environment.region)
    return {
        "image": {"repository": cached_image(outputs, "ghcr.io/fluent/fluent-bit")},
        "config": {"extraFiles": {"pipeline.yaml": pipeline}},
    }


def node_exporter(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from."""
    return {"image": {"registry": cached_registry(outputs, "quay.io")}}


def kube_state_metrics(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from."""
    return {"image": {"registry": cached_registry(outputs, "registry.k8s.io")}}


def neuron_device_plugin(settings: Environment, outputs: Outputs) -> Values:
    """The instance types that have Neuron devices here; the chart's own list ends with those of its day."""
    pools = settings.capacity.of_kind("neuron").values() if settings.capacity else ()
    return {
        "neuronInstances": sorted({instance.name for pool in pools for instance in pool.instance_types}),
        "devicePlugin": {"image": {"repository": cached_image(outputs, "public.ecr.aws/neuron/neuron-device-plugin")}},
    }


def neuron_monitor(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from."""
    return {"image": {"repository": cached_image(outputs, "public.ecr.aws/neuron/neuron-monitor")}}


def kuberay_operator(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from."""
    return {"image": {"repository": cached_image(outputs, "quay.io/kuberay/operator")}}


def keda(_settings: Environment, outputs: Outputs) -> Values:
    """The name that it reports itself under, and where its images come from."""
    return {
        "clusterName": outputs["cluster"]["name"],
        "global": {"image": {"registry": cached_registry(outputs, "ghcr.io")}},
    }


def external_dns(settings: Environment, outputs: Outputs) -> Values:
    """The one zone that it writes to, and whom its records belong to."""
    domain = outputs["edge"]["domain"]
    return {
        "domainFilters": [domain["name"]],
        "extraArgs": [f"--zone-id-filter={domain['zone_id']}", "--aws-zone-type=public"],
        "txtOwnerId": name_prefix(settings.name),
        "env": [{"name": "AWS_DEFAULT_REGION", "value": settings.environment.region}],
        "image": {"repository": cached_image(outputs, "registry.k8s.io/external-dns/external-dns")},
    }


def grafana_operator(_settings: Environment, outputs: Outputs) -> Values:
    """Where its image comes from."""
    return {"image": {"registry": cached_registry(outputs, "ghcr.io")}}


def observability(settings: Environment, outputs: Outputs) -> Values:
    """Where dashboards are written, as whom, and where their queries go."""
    return {
        "region": settings.environment.region,
        "grafana": {"url": outputs["grafana"]["url"], "token": f"{name_prefix(settings.name)}/{GRAFANA_TOKEN}"},
        "metrics": {"endpoint": outputs["observability"]["metrics"]["endpoint"]},
    }


DERIVATIONS: Mapping[str, Derivation] = {
    "karpenter": karpenter,
    "aws-load-balancer-controller": aws_load_balancer_controller,
    "cert-manager": cert_manager,
    "external-secrets": external_secrets,
    "fluent-bit": fluent_bit,
    "node-exporter": node_exporter,
    "kube-state-metrics": kube_state_metrics,
    "neuron-device-plugin": neuron_device_plugin,
    "neuron-monitor": neuron_monitor,
    "kuberay-operator": kuberay_operator,
    "keda": keda,
    "external-dns": external_dns,
    "grafana-operator": grafana_operator,
    "observability": observability,
}
