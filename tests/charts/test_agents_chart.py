"""What the chart of the agents renders with the derived values of `dev` and `prod`, by the real helm."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.derivations.agents import EMBEDDING_FINGERPRINT, HTTPS_PORT, VERSIONS, EmbeddingNotMirrored, Version
from tasks.helm.derived_values import derived_values
from tasks.helm.releases_file import InvalidReleases
from tasks.helm.rendering import Manifest
from tests.charts.own_charts import ON_AWS, of_kind, rendered, sample_outputs, sample_version

DEV, PROD = EnvironmentName.DEV, EnvironmentName.PROD
ALB = "alb.ingress.kubernetes.io/"


def pod(workload: Mapping[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


@pytest.mark.parametrize("environment", ON_AWS)
def test_the_released_image_runs_with_the_settings_of_the_environment_file(environment: EnvironmentName) -> None:
    manifests = rendered("agents", environment)
    described = pod(of_kind(manifests, "Deployment")["agents"])
    (container,) = described["containers"]
    settings = json.loads(
        of_kind(manifests, "ConfigMap")[described["volumes"][0]["configMap"]["name"]]["data"]["settings.json"]
    )

    assert container["image"] == sample_outputs(environment)["images"]["agents"]
    assert settings["gateway"]["base_url"] == "http://litellm.gateway.svc.cluster.local:4000"
    assert settings["store"]["endpoint"] == sample_outputs(environment)["search"]["endpoint"]
    assert settings["models"]["embedding"]["fingerprint"] == "0" * 64
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert described["terminationGracePeriodSeconds"] > settings["limits"]["answer_seconds"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables["AGENTS_RELEASE"] == f"sha256:{'0' * 64}", "traces name the image by its digest"
    assert "agents-canary" not in of_kind(manifests, "Deployment")
    wanted = of_kind(manifests, "ExternalSecret")["agents"]["spec"]["data"]
    keys = [each["remoteRef"]["key"] for each in wanted if each["secretKey"] == settings["gateway"]["api_key_variable"]]
    assert keys == [f"agentic-eks-{environment.value}/litellm-agents-key"], "nobody but the gateway has its master key"


def test_a_canary_has_pods_settings_and_a_service_of_its_own_and_no_way_in() -> None:
    changes = {"versions": {"canary": {**sample_version(DEV).values(), "settings": '{"environment": "other"}'}}}
    manifests = rendered("agents", DEV, changes)
    deployments = of_kind(manifests, "Deployment")
    volumes = {name: named(manifests, name) for name in deployments}

    assert deployments["agents-canary"]["spec"]["replicas"] == 1
    assert volumes["agents"] != volumes["agents-canary"]
    assert set(volumes.values()) <= set(of_kind(manifests, "ConfigMap"))
    for name, service in of_kind(manifests, "Service").items():
        if name in deployments:
            labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
            assert service["spec"]["selector"].items() <= labels.items()
    assert backends(manifests) == {"agents", "not-there"}


def test_before_the_first_release_only_a_canary_runs_behind_no_load_balancer() -> None:
    manifests = rendered("agents", DEV, facts={VERSIONS: {"canary": sample_version(DEV)}})

    assert set(of_kind(manifests, "Deployment")) == {"agents-canary", "web-search"}
    assert of_kind(manifests, "Ingress") == {}
    assert of_kind(manifests, "ScaledObject") == {}


@pytest.mark.parametrize("environment", ON_AWS)
def test_replicas_follow_the_questions_in_progress_and_the_time_to_the_first_sentence(
    environment: EnvironmentName,
) -> None:
    least, most, each, seconds = {DEV: (2, 6, "8", "5"), PROD: (3, 12, "8", "5")}[environment]
    endpoint = sample_outputs(environment)["observability"]["metrics"]["endpoint"]
    of_environment = REPOSITORY / "helm-values" / "agents" / f"{environment}.yaml"
    changes = yaml.safe_load(of_environment.read_text(encoding="utf-8")) if of_environment.is_file() else None
    manifests = rendered("agents", environment, changes)
    scaled = of_kind(manifests, "ScaledObject")["agents"]["spec"]
    queue, latency = (trigger["metadata"] for trigger in scaled["triggers"])

    assert scaled["scaleTargetRef"] == {"name": "agents"}
    assert "replicas" not in of_kind(manifests, "Deployment")["agents"]["spec"], "an upgrade would undo the scaling"
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (least, most)
    assert (queue["threshold"], latency["threshold"]) == (each, seconds)
    assert "agents_questions_in_progress" in queue["query"]
    assert "agents_questions_waiting" in queue["query"]
    assert latency["query"] == "agents:first_sentence_seconds:p95_5m"
    assert {trigger["authenticationRef"]["name"] for trigger in scaled["triggers"]} == {"metrics"}
    assert {queue["serverAddress"], latency["serverAddress"]} == {endpoint}
    load = load_environment(environment).agents.load
    assert load is not None
    assert int(each) <= load.answers, "questions would wait before another replica is started"


def backends(manifests: list[Manifest]) -> set[str]:
    return {
        path["backend"]["service"]["name"]
        for ingress in of_kind(manifests, "Ingress").values()
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }


def test_the_way_in_is_one_load_balancer_with_firewall_certificate_and_sign_in() -> None:
    outputs = sample_outputs(PROD)
    ingresses = of_kind(rendered("agents", PROD), "Ingress")

    for ingress in ingresses.values():
        said = ingress["metadata"]["annotations"]
        assert said[f"{ALB}wafv2-acl-arn"] == outputs["firewall"]["web_acl_arn"]
        assert said[f"{ALB}certificate-arn"] == outputs["edge"]["domain"]["certificate_arn"]
        assert said[f"{ALB}ssl-redirect"] == "443"
        assert json.loads(said[f"{ALB}auth-idp-cognito"])["userPoolARN"]
        assert {rule["host"] for rule in ingress["spec"]["rules"]} == {"assistant.example.com"}
    unauthenticated = f"{ALB}auth-on-unauthenticated-request"
    assert ingresses["agents"]["metadata"]["annotations"][unauthenticated] == "authenticate"
    api = ingresses["agents-api"]["metadata"]["annotations"][unauthenticated]
    assert api == "allow", "the service checks the keys of programs itself"
    assert len({each["metadata"]["annotations"][f"{ALB}group.name"] for each in ingresses.values()}) == 1


def test_programs_sign_in_where_the_service_asks_nobody_who_they_are() -> None:
    open_to_all = Version(sample_version(PROD).image, "{}")
    manifests = rendered("agents", PROD, facts={VERSIONS: {"stable": open_to_all}})
    unauthenticated = {
        name: ingress["metadata"]["annotations"][f"{ALB}auth-on-unauthenticated-request"]
        for name, ingress in of_kind(manifests, "Ingress").items()
    }
    assert unauthenticated == {"agents": "authenticate", "agents-api": "authenticate"}


def test_the_web_search_server_has_the_key_and_no_role() -> None:
    manifests = rendered("agents", DEV)
    described = pod(of_kind(manifests, "Deployment")["web-search"])
    secret = of_kind(manifests, "ExternalSecret")["web-search"]

    assert described["serviceAccountName"] == "web-search"
    assert described["containers"][0]["command"] == ["python", "-m", "agents.web_search"]
    assert [each["remoteRef"]["key"] for each in secret["spec"]["data"]] == ["agentic-eks-dev/tavily-api-key"]
    settings = json.loads(of_kind(manifests, "ConfigMap")[named(manifests, "agents")]["data"]["settings.json"])
    assert settings["web_search"]["url"] == "http://web-search:8090/mcp"


def test_where_callers_sign_in_the_operators_key_lies_in_a_file_that_follows_a_renewal() -> None:
    manifests = rendered("agents", PROD)
    secret = of_kind(manifests, "ExternalSecret")["agents"]
    keys = {each["secretKey"]: each["remoteRef"]["key"] for each in secret["spec"]["data"]}
    settings = json.loads(of_kind(manifests, "ConfigMap")[named(manifests, "agents")]["data"]["settings.json"])
    described = pod(of_kind(manifests, "Deployment")["agents"])
    (mount,) = [each for each in described["containers"][0]["volumeMounts"] if each["name"] == "secrets"]

    assert keys["AGENTS_GATE_KEY"] == "agentic-eks-prod/agents-gate-key"
    assert settings["access"]["sign_in"]["operator_key_file"] == f"{mount['mountPath']}/AGENTS_GATE_KEY"
    assert "AGENTS_GATE_KEY" not in json.dumps(of_kind(rendered("agents", DEV), "ExternalSecret"))


def named(manifests: list[Manifest], deployment: str) -> str:
    """The ConfigMap of a deployment's settings."""
    return pod(of_kind(manifests, "Deployment")[deployment])["volumes"][0]["configMap"]["name"]


def test_without_a_name_nothing_is_offered_to_the_internet() -> None:
    for ingress in of_kind(rendered("agents", DEV), "Ingress").values():
        assert ingress["metadata"]["annotations"][f"{ALB}scheme"] == "internal"
        assert ingress["metadata"]["annotations"][f"{ALB}wafv2-acl-arn"]


def test_sign_in_elsewhere_reads_its_client_from_a_secret() -> None:
    oidc = {
        "issuer": "https://id.example.com",
        "authorization_endpoint": "https://id.example.com/authorize",
        "token_endpoint": "https://id.example.com/token",
        "user_info_endpoint": "https://id.example.com/me",
        "client_id": "the-load-balancer",
        "client_secret": "identity-provider",
    }
    edge = {**sample_outputs(PROD)["edge"], "sign_in": {"kind": "oidc", "cognito": None, "oidc": oidc}}
    manifests = rendered("agents", PROD, facts={"edge": edge})

    said = json.loads(of_kind(manifests, "Ingress")["agents"]["metadata"]["annotations"][f"{ALB}auth-idp-oidc"])
    assert said == {
        "issuer": oidc["issuer"],
        "authorizationEndpoint": oidc["authorization_endpoint"],
        "tokenEndpoint": oidc["token_endpoint"],
        "userInfoEndpoint": oidc["user_info_endpoint"],
        "secretName": "sign-in",
    }
    secret = of_kind(manifests, "ExternalSecret")["sign-in"]["spec"]
    assert secret["target"]["template"]["data"] == {
        "clientID": "the-load-balancer",
        "clientSecret": "{{ .clientSecret }}",
    }
    assert secret["data"] == [{"secretKey": "clientSecret", "remoteRef": {"key": "agentic-eks-prod/identity-provider"}}]
    (rule,) = of_kind(manifests, "Role")["sign-in"]["rules"]
    assert (rule["resources"], rule["resourceNames"]) == (["secrets"], ["sign-in"])
    (reader,) = of_kind(manifests, "RoleBinding")["sign-in"]["subjects"]
    assert (reader["name"], reader["namespace"]) == ("aws-load-balancer-controller", "kube-system")
    volume = named(manifests, "agents")
    settings = json.loads(of_kind(manifests, "ConfigMap")[volume]["data"]["settings.json"])
    balancer = settings["access"]["sign_in"]["load_balancer"]
    assert (balancer["client"], balancer["issuer"]) == ("the-load-balancer", "https://id.example.com")


@pytest.mark.parametrize("environment", ON_AWS)
def test_every_pod_may_go_only_where_it_has_to(environment: EnvironmentName) -> None:
    manifests = rendered("agents", environment, {"versions": {"canary": sample_version(environment).values()}})
    policies = of_kind(manifests, "NetworkPolicy").values()
    for deployment in of_kind(manifests, "Deployment").values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        (policy,) = [each for each in policies if each["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]
        assert policy["spec"]["policyTypes"] == ["Egress"]
        for rule in policy["spec"]["egress"]:
            assert rule["ports"]
            for peer in rule["to"]:
                if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(peer["ipBlock"]["except"])


def test_pods_reach_prefect_in_a_network_beyond_the_vpc_and_nothing_else_there() -> None:
    settings = load_environment(PROD)
    assert settings.network is not None
    assert "100.64.0.0/16" not in json.dumps(of_kind(rendered("agents", PROD), "NetworkPolicy"))
    beyond = settings.model_copy(
        update={"network": settings.network.model_copy(update={"neighbours": ("10.80.0.0/16", "100.64.0.0/16")})}
    )
    egress = derived_values("agents", beyond, sample_outputs(PROD))["egress"]
    policy = of_kind(rendered("agents", PROD, {"egress": egress}), "NetworkPolicy")["agents-egress"]
    (rule,) = [
        each
        for each in policy["spec"]["egress"]
        if any(peer.get("ipBlock", {}).get("cidr") == "10.80.0.0/16" for peer in each["to"])
    ]
    assert [peer["ipBlock"]["cidr"] for peer in rule["to"]] == ["10.80.0.0/16", "100.64.0.0/16"]
    assert [port["port"] for port in rule["ports"]] == [HTTPS_PORT]


def test_without_the_model_in_the_bucket_the_stage_that_brings_it_is_named() -> None:
    outputs = {**sample_outputs(DEV), EMBEDDING_FINGERPRINT: None}
    with pytest.raises(EmbeddingNotMirrored, match="run models/dev"):
        derived_values("agents", load_environment(DEV), outputs)


WRONG = {
    "an unknown key": ({"colour": "red"}, "colour"),
    "an image by tag": ({"versions": {"stable": {"image": "agents:latest"}}}, "versions.stable.image"),
    "one replica": ({"replicas": 1}, "replicas"),
    "a port of root": ({"port": 80}, "port"),
    "a secret that is no variable": ({"secrets": {"master-key": {"key": "any"}}}, "master-key"),
    "a third track": ({"versions": {"other": {"image": "any", "settings": "{}"}}}, "versions"),
}


@pytest.mark.parametrize(("changes", "named"), WRONG.values(), ids=WRONG.keys())
def test_the_schema_refuses_wrong_values(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidReleases, match=named):
        rendered("agents", DEV, changes)
