"""What own charts render, against the definitions of Karpenter itself and of Kubernetes, in which no key is unknown."""

import pytest

from rehearsal.cluster.api import read_documents
from rehearsal.cluster.builds import built
from rehearsal.cluster.programs import KARPENTER, KARPENTER_AWS
from tasks.environment import EnvironmentName
from tasks.helm.schema_findings import Definitions, resource_definitions, schema_findings
from tests.charts.own_charts import ON_AWS, of_kind, rendered, sample_version

pytestmark = pytest.mark.kubernetes

MINOR = "1.35"
# Kinds of charts of others, which `python -m console render` checks once those charts are fetched.
OF_OTHERS = {"ExternalSecret", "ScaledObject", "SecretStore", "TriggerAuthentication"}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    directories = (built(KARPENTER).manifests, built(KARPENTER_AWS).manifests)
    return resource_definitions(read_documents(path for each in directories for path in each.glob("*.yaml")))


@pytest.mark.parametrize("chart", ["access", "capacity"])
@pytest.mark.parametrize("environment", ON_AWS)
def test_every_object_is_what_its_kind_allows(
    definitions: Definitions, environment: EnvironmentName, chart: str
) -> None:
    found = {
        f"{manifest['kind']} {manifest['metadata']['name']}": findings
        for manifest in rendered(chart, environment)
        if (findings := list(schema_findings(manifest, definitions, MINOR)))
    }
    assert found == {}


@pytest.mark.parametrize("environment", ON_AWS)
def test_every_object_of_the_agents_is_what_its_kind_allows(environment: EnvironmentName) -> None:
    manifests = rendered("agents", environment, {"versions": {"canary": sample_version(environment).values()}})
    found = {
        f"{manifest['kind']} {manifest['metadata']['name']}": findings
        for manifest in manifests
        if manifest["kind"] not in OF_OTHERS
        and (findings := list(schema_findings(manifest, resource_definitions([]), MINOR)))
    }
    assert found == {}


def test_every_object_of_clickhouse_is_what_its_kind_allows() -> None:
    manifests = [each for each in rendered("clickhouse", EnvironmentName.PROD) if each["kind"] not in OF_OTHERS]
    assert [finding for each in manifests for finding in schema_findings(each, resource_definitions([]), MINOR)] == []


def test_a_key_that_karpenter_does_not_know_is_found(definitions: Definitions) -> None:
    node_class = dict(of_kind(rendered("capacity", EnvironmentName.DEV), "EC2NodeClass")["gpu"])
    node_class["spec"] = {**node_class["spec"], "encrypted": True}

    assert any("encrypted" in finding for finding in schema_findings(node_class, definitions, MINOR))
