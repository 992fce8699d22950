from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.instance_types import types_of
from tasks.environment.variable_file import load_environment
from tasks.prices.table import load_price_table
from tests.tasks.environment.prod_file import PROD, refusal_of_prod, require_prod_refused

GPU_FAMILIES = 'instance_families = ["g6", "g6e", "g5"]'
GPU_LIMITS = "limits            = { vcpu = 256, memory_gib = 1024, accelerators = 16 }"
QUIET = '{ cron = "0 8 * * mon-fri", hours = 10 }'

# what is replaced in prod.tfvars, by what, and what the error must say
REFUSED = {
    "image that moves": ('al2023 = "v20260903"', 'al2023 = "latest"', ["capacity.images.al2023", '"v20260903"']),
    "image of another family": ('"v1.64.0"', '"v20260903"', ["capacity.images.bottlerocket", '"v1.64.0"']),
    "unknown family": (
        GPU_FAMILIES,
        'instance_families = ["g99"]',
        ["capacity.pools.gpu.instance_families: 'g99' is not a family", "g6e"],
    ),
    "family of another kind": (
        GPU_FAMILIES,
        'instance_families = ["g6", "inf2"]',
        ["capacity.pools.gpu", "'inf2', whose instances are neuron; allowed are g5, g6, g6e"],
    ),
    "Intel among Graviton": (
        '["c8g", "m8g", "r8g"]',
        '["c8g", "m7i"]',
        ["capacity.pools.graviton.instance_families: 'm7i' is not a family", "c8g"],
    ),
    "GPU among Graviton": (
        '["c8g", "m8g", "r8g"]',
        '["c8g", "g6"]',
        ["capacity.pools.graviton: kind = 'graviton'", "'g6', whose instances are gpu; allowed are c6g"],
    ),
    "no family": (GPU_FAMILIES, "instance_families = []", ["capacity.pools.gpu.instance_families", "at least one"]),
    "accelerators without a limit": (
        GPU_LIMITS,
        "limits = { vcpu = 256, memory_gib = 1024 }",
        ["capacity.pools.gpu: kind = 'gpu' needs limits.accelerators"],
    ),
    "accelerators that Graviton lacks": (
        "limits            = { vcpu = 512, memory_gib = 2048 }",
        "limits = { vcpu = 512, memory_gib = 2048, accelerators = 1 }",
        ["capacity.pools.graviton: kind = 'graviton' has no limits.accelerators"],
    ),
    "room for no instance": (
        GPU_LIMITS,
        "limits = { vcpu = 256, memory_gib = 15, accelerators = 16 }",
        ["capacity.pools.gpu: limits: no instance type of g6, g6e, g5 fits"],
    ),
    "bound below every size": (
        GPU_LIMITS,
        f"{GPU_LIMITS}\n largest_vcpu = 2",
        ["no instance type of g6, g6e, g5 fits into them with largest_vcpu = 2"],
    ),
    "capacity that AWS has not": ('["on-demand"]', '["reserved"]', ["capacity_types.0", "'spot' or 'on-demand'"]),
    "weight that Karpenter refuses": ("weight            = 50", "weight = 101", ["from 1 to 100"]),
    "hour that never comes": (QUIET, '{ cron = "0 24 * * *", hours = 10 }', ["quiet_hours.cron", "the hour is '24'"]),
    "name that Kubernetes refuses": ("    gpu = {", '    "G P U" = {', ["capacity: pools has 'G P U'"]),
    "nowhere to run the rest": (
        'kind              = "graviton"\n      instance_families = ["c8g", "m8g", "r8g"]',
        'kind              = "gpu"\n      instance_families = ["c8g", "m8g", "r8g"]',
        ["capacity.pools.graviton", "'c8g', whose instances are graviton"],
    ),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused_by_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_prod_refused(tmp_path, old, new, fragments)


def test_an_environment_on_aws_needs_the_section(tmp_path: Path) -> None:
    start, end = PROD.index("\ncapacity = {"), PROD.index("\nmodels = {")
    assert "'local' has no section capacity, every other needs it" in refusal_of_prod(
        tmp_path, PROD[:start] + PROD[end:]
    )


def test_something_must_serve_what_asks_for_no_accelerator(tmp_path: Path) -> None:
    start, end = PROD.index("    graviton = {"), PROD.index("    gpu = {")
    assert "capacity: pools has none with kind = 'graviton'" in refusal_of_prod(tmp_path, PROD[:start] + PROD[end:])


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_every_kind_of_node_has_a_pool(name: EnvironmentName) -> None:
    capacity = load_environment(name).capacity
    assert capacity is not None
    assert {pool.kind for pool in capacity.pools.values()} == {"graviton", "gpu", "neuron"}
    assert {each.architecture for pool in capacity.of_kind("graviton").values() for each in pool.instance_types} == {
        "arm64"
    }


def test_the_types_of_a_pool_are_those_it_may_launch_the_cheapest_first() -> None:
    capacity = load_environment(EnvironmentName.PROD).capacity
    assert capacity is not None
    types = capacity.pools["graviton"].instance_types

    assert types[0].name == "c8g.medium"
    assert max(each.vcpu for each in types) == 16
    assert [each.usd_hour for each in types] == sorted(each.usd_hour for each in types)
    assert {each.accelerators for each in capacity.pools["gpu"].instance_types} == {1, 4, 8}


def test_an_instance_type_knows_its_accelerators() -> None:
    largest = types_of("inf2")[-1]

    assert (largest.name, largest.vcpu, largest.memory_gib, largest.accelerators) == ("inf2.48xlarge", 192, 768, 12)
    assert largest.accelerator is not None
    assert (largest.accelerator.kind, largest.accelerator.cores, largest.accelerator.memory_mib) == ("neuron", 2, 32768)


def test_prices_agree_with_those_of_the_plan() -> None:
    hourly = load_price_table().regions["us-east-1"].instance_hour
    known = {each.name: each.usd_hour for family in ("c7g", "m7g", "m8g", "r8g") for each in types_of(family)}

    assert {name: known[name] for name in known.keys() & hourly.keys()} == {
        name: hourly[name] for name in known.keys() & hourly.keys()
    }
    assert len(known.keys() & hourly.keys()) > 10
