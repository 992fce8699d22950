"""ClickHouse's chart, and the values of Langfuse's, as `prod` has them; Langfuse's chart itself is not needed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import pytest
import yaml

from tasks.environment import Environment, EnvironmentName
from tasks.environment.addons import LANGFUSE_SECRETS
from tasks.environment.variable_file import load_environment
from tasks.helm.command import Helm, open_helm
from tasks.helm.preparation import Prepared, Sources, prepare
from tasks.helm.releases_file import InvalidReleases
from tasks.helm.rendering import Manifest
from tasks.helm.workload_findings import workload_findings
from tasks.langfuse.destination import IN_CLUSTER, langfuse_project
from tests.charts.own_charts import of_kind, rendered, sample_outputs

PROD = EnvironmentName.PROD


@pytest.fixture(scope="module")
def settings() -> Environment:
    return load_environment(PROD)


@pytest.fixture(scope="module")
def releases(settings: Environment) -> Mapping[str, Prepared]:
    return {each.name: each for each in prepare(settings, sample_outputs(PROD), Sources(), "addons")}


@pytest.fixture(scope="module")
def values(releases: Mapping[str, Prepared]) -> Mapping[str, Any]:
    return releases["langfuse"].values.merged


@pytest.fixture(scope="module")
def helm() -> Iterator[Helm]:
    with open_helm(None) as helm:
        yield helm


def variables(container: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container}


def configuration(manifests: list[Manifest]) -> Mapping[str, Any]:
    return yaml.safe_load(of_kind(manifests, "ConfigMap")["clickhouse"]["data"]["server.yaml"])


@pytest.mark.parametrize("replicas", [1, 3])
def test_replicas_of_clickhouse_know_each_other_by_the_names_of_their_pods(replicas: int) -> None:
    manifests = rendered("clickhouse", PROD, {"replicas": replicas})
    names = [f"clickhouse-{number + 1}.clickhouse-nodes.kube-system.svc.cluster.local" for number in range(replicas)]

    config = configuration(manifests)
    assert [each["host"] for each in config["remote_servers"]["default"]["shard"]["replica"]] == names
    assert [each["host"] for each in config["zookeeper"]["node"]] == names
    assert [(each["id"], each["hostname"]) for each in config["keeper_server"]["raft_configuration"]["server"]] == list(
        enumerate(names, start=1)
    )
    workload = of_kind(manifests, "StatefulSet")["clickhouse"]
    assert (workload["spec"]["replicas"], workload["spec"]["ordinals"]["start"]) == (replicas, 1)
    assert of_kind(manifests, "Service")["clickhouse-nodes"]["spec"]["publishNotReadyAddresses"] is True
    assert list(workload_findings(manifests)) == []


def test_a_change_of_clickhouses_configuration_reaches_its_pods() -> None:
    def stamp(changes: Mapping[str, Any]) -> str:
        workload = of_kind(rendered("clickhouse", PROD, changes), "StatefulSet")["clickhouse"]
        return workload["spec"]["template"]["metadata"]["annotations"]["agentic-eks/configuration"]

    assert stamp({}) == stamp({}) != stamp({"logDays": 3})


def test_a_number_of_replicas_without_a_majority_is_refused() -> None:
    with pytest.raises(InvalidReleases, match="replicas"):
        rendered("clickhouse", PROD, {"replicas": 2})


def test_volumes_are_as_large_as_the_file_says_and_outlive_the_release() -> None:
    workload = of_kind(rendered("clickhouse", PROD), "StatefulSet")["clickhouse"]["spec"]
    (claim,) = workload["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"
    assert workload["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_langfuse_makes_the_project_that_traces_are_written_to(
    settings: Environment, values: Mapping[str, Any]
) -> None:
    project = langfuse_project(settings)
    assert project is not None
    told = variables(values["langfuse"]["web"]["pod"]["additionalEnv"])
    assert told["LANGFUSE_INIT_PROJECT_PUBLIC_KEY"] == project.public_key
    assert told["LANGFUSE_INIT_PROJECT_SECRET_KEY"]["secretKeyRef"] == {
        "name": "langfuse",
        "key": "langfuse-secret-key",
    }
    assert project.secret_name == "agentic-eks-prod/langfuse-secret-key"
    assert {"LANGFUSE_INIT_ORG_ID", "LANGFUSE_INIT_PROJECT_ID", "LANGFUSE_INIT_USER_EMAIL"} <= told.keys()
    assert IN_CLUSTER == "http://langfuse-web.langfuse.svc.cluster.local:3000"


def test_every_secret_of_the_file_is_given_and_every_reference_is_to_one(
    releases: Mapping[str, Prepared], values: Mapping[str, Any]
) -> None:
    (external,) = values["extraManifests"]
    given = {each["secretKey"]: each["remoteRef"] for each in external["spec"]["data"]}
    made = given.keys() | external["spec"]["target"]["template"]["data"].keys()
    own = {each["key"].removeprefix("agentic-eks-prod/") for each in given.values()}
    clickhouse = cast(str, releases["clickhouse"].values.merged["password"])
    assert own | {clickhouse.removeprefix("agentic-eks-prod/")} > set(LANGFUSE_SECRETS)

    langfuse = values["langfuse"]
    environment = [*langfuse["additionalEnv"], *langfuse["web"]["pod"]["additionalEnv"]]
    references = [each["valueFrom"]["secretKeyRef"] for each in environment if "valueFrom" in each]
    references += [each["secretKeyRef"] for each in (langfuse["salt"], langfuse["encryptionKey"])]
    references += [langfuse["nextauth"]["secret"]["secretKeyRef"]]
    assert {each["name"] for each in references} == {"langfuse"}
    assert {each["key"] for each in references} | {values["redis"]["auth"]["existingSecretPasswordKey"]} <= made


def test_the_address_of_the_database_takes_a_password_of_any_signs(
    values: Mapping[str, Any], helm: Helm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """External Secrets and Helm fill in templates by the same library of Go."""
    (external,) = values["extraManifests"]
    address = external["spec"]["target"]["template"]["data"]["database-url"]
    chart = tmp_path_factory.mktemp("chart")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: address\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "values.yaml").write_text("database-password: 'a#b?c:d%e&f'\n", encoding="utf-8")
    (chart / "templates").mkdir()
    template = "{{- with .Values }}address: " + address + "{{- end }}\n"
    (chart / "templates" / "address.yaml").write_text(template, encoding="utf-8")

    filled_in = yaml.safe_load(helm.run("fill in", ["template", "address", str(chart)], 60))

    server = sample_outputs(PROD)["data"]["postgres"]["langfuse"]
    assert filled_in["address"] == (
        f"postgresql://langfuse:a%23b%3Fc%3Ad%25e%26f@{server['host']}:5432/langfuse?sslmode=require"
    )


def test_langfuse_is_called_as_aws_knows_it(values: Mapping[str, Any]) -> None:
    outputs = sample_outputs(PROD)
    identity = outputs["identity"]["pod_identities"]["langfuse"]
    assert values["langfuse"]["serviceAccount"]["name"] == identity["service_account"]
    assert identity["namespace"] == "langfuse"
    assert values["s3"]["bucket"] == outputs["data"]["buckets"]["langfuse"]["name"]
    assert not any(values[store]["deploy"] for store in ("postgresql", "redis", "clickhouse", "s3"))
