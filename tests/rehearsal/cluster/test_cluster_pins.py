import re

import pytest

from rehearsal.cluster.programs import CONTROL_PLANE, SOURCES, Source
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_program_is_pinned_as_a_tool(source: Source) -> None:
    go_mod = (source.directory / "go.mod").read_text()

    assert re.fullmatch(r"v\d+\.\d+\.\d+", source.version)
    assert {
        package for package in source.packages.values() if re.search(rf"^\s*(tool )?{package}$", go_mod, re.M)
    } == set(source.packages.values())


def test_all_parts_of_kubernetes_have_one_version() -> None:
    go_mod = (CONTROL_PLANE.directory / "go.mod").read_text()
    replaced = re.findall(r"^replace (k8s\.io/\S+) => (\S+) (\S+)$", go_mod, re.M)

    assert len(replaced) == 31
    assert {version for _, _, version in replaced} == {CONTROL_PLANE.version.replace("v1.", "v0.")}
    assert all(module == replacement for module, replacement, _ in replaced)


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_the_rehearsed_kubernetes_is_the_one_that_environments_run(name: EnvironmentName) -> None:
    cluster = load_environment(name).cluster

    assert cluster is not None
    assert CONTROL_PLANE.version.startswith(f"v{cluster.kubernetes_version}.")
