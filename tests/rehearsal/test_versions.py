"""What is rehearsed is what is shipped."""

import pytest

from rehearsal.environment_cluster import system_nodes
from rehearsal.versions import Versions, versions
from tasks.environment.variable_file import load_environment
from tasks.helm.releases_file import load_releases

PARTS = {"Kubernetes", "karpenter", "kuberay-operator"}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_rehearsed_versions_are_those_that_are_shipped(name: str) -> None:
    compared = versions(load_environment(name), load_releases())
    assert {each.part for each in compared} == PARTS
    assert [each for each in compared if each.differ] == []
    assert [each.part for each in compared if each.shipped is None] == []


@pytest.mark.parametrize(
    ("rehearsed", "shipped", "differ"),
    [("v1.35.4", "1.35", False), ("v1.35.4", "1.36", True), ("v1.14.1", "1.14.1", False), ("v1.14.1", None, True)],
)
def test_a_difference_is_seen(rehearsed: str, shipped: str | None, differ: bool) -> None:
    assert Versions("any", rehearsed, shipped).differ is differ


@pytest.mark.parametrize(("name", "zones"), [("dev", 2), ("prod", 3)])
def test_system_nodes_are_those_of_the_node_group(name: str, zones: int) -> None:
    settings = load_environment(name)
    assert settings.cluster is not None
    nodes = [node.document for node in system_nodes(settings)]
    assert len(nodes) == settings.cluster.system_nodes.minimum
    labels = [node["metadata"]["labels"] for node in nodes]
    assert len({each["topology.kubernetes.io/zone"] for each in labels}) == zones
    assert {each["agentic-eks/pool"] for each in labels} == {"system"}
    assert {taint["key"] for node in nodes for taint in node["spec"]["taints"]} == {"CriticalAddonsOnly"}
