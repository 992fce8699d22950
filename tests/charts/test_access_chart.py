from collections.abc import Mapping

import pytest

from tasks.environment import EnvironmentName
from tasks.helm.command import HelmFailed
from tasks.helm.releases_file import InvalidReleases, Release, load_releases
from tests.charts.own_charts import ON_AWS, of_kind, rendered


@pytest.mark.parametrize("environment", ON_AWS)
def test_every_namespace_holds_its_pods_to_a_standard_and_outlives_the_release(environment: EnvironmentName) -> None:
    namespaces = of_kind(rendered("access", environment), "Namespace")

    for name, namespace in namespaces.items():
        labels = namespace["metadata"]["labels"]
        standard = labels["pod-security.kubernetes.io/enforce"]
        assert standard in ("restricted", "baseline") or name == "observability"
        assert namespace["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert {"agents", "gateway", "models", "ray", "prefect", "observability", "external-secrets"} <= namespaces.keys()


@pytest.mark.parametrize("environment", ON_AWS)
def test_every_release_goes_into_a_namespace_that_is_there(environment: EnvironmentName) -> None:
    namespaces = {"kube-system", *of_kind(rendered("access", environment), "Namespace")}

    homeless = {
        name: release.namespace for name, release in load_releases().items() if release.namespace not in namespaces
    }
    assert not homeless, "what Helm makes has no policies: put it into infra/charts/access/values.yaml"


def test_no_release_comes_before_its_namespace() -> None:
    releases = load_releases()
    waiting = {
        name
        for name, release in releases.items()
        if release.stage == "addons" and release.namespace != "kube-system" and "access" not in _before(name, releases)
    }
    assert not waiting, "these need access, directly or not"


def _before(name: str, releases: Mapping[str, Release]) -> set[str]:
    needs = set(releases[name].needs)
    return needs.union(*(_before(needed, releases) for needed in needs))


def test_nobody_reaches_pods_but_those_who_are_named() -> None:
    policies = {
        policy["metadata"]["namespace"]: policy["spec"]
        for policy in rendered("access", EnvironmentName.DEV)
        if policy["kind"] == "NetworkPolicy"
    }

    assert policies["prefect"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
    }
    reach_the_dashboard = [rule for rule in policies["ray"]["ingress"] if {"port": 8265} in rule.get("ports", ())]
    assert [rule["from"] for rule in reach_the_dashboard] == [
        [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
            for namespace in ("prefect", "ray-system")
        ]
    ]
    every_rule = [
        rule for spec in policies.values() for rule in spec["ingress"] if rule != {"from": [{"podSelector": {}}]}
    ]
    assert all(rule["ports"] and rule["from"] for rule in every_rule), "a rule without either opens everything"


def test_where_people_have_rights_they_open_no_other_way_in() -> None:
    quotas = {
        quota["metadata"]["namespace"]: quota["spec"]["hard"]
        for quota in rendered("access", EnvironmentName.PROD)
        if quota["kind"] == "ResourceQuota"
    }

    assert quotas.keys() == {"agents", "gateway", "models", "ray"}
    assert all(hard == {"services.loadbalancers": "0", "services.nodeports": "0"} for hard in quotas.values())


def test_a_namespace_that_the_platform_lacks_is_refused_by_name() -> None:
    editor = {"group": "editors", "namespaces": ["agent"]}
    with pytest.raises(HelmFailed, match=r'roles\.editor\.namespaces has "agent", which the platform does not have'):
        rendered("access", EnvironmentName.DEV, {"roles": {"editor": editor}})


def test_a_role_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidReleases, match="changes: roles"):
        rendered("access", EnvironmentName.DEV, {"roles": {"owner": {"group": "owners", "namespaces": []}}})
