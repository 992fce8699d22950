"""A catalogue and pools that do not fit are refused when the file is read."""

from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tasks.environment.placement import pools_of
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file
from tasks.models.replicas import with_replicas

DEV = (REPOSITORY / "infra" / "environments" / "dev.tfvars").read_text(encoding="utf-8")
GPU = "serving   = { accelerators = 1, cpus = 3, memory_gib = 12 }"
NEURON = "serving   = { accelerators = 1, cpus = 6, memory_gib = 24, neuron = { cores = 2, batch_size = 8 } }"
RAY = "serving = { cpus = 4, memory_gib = 4 }"

# what is replaced in dev.tfvars, by what, and what the error must say
REFUSED = {
    "an accelerator count that no instance has": (
        GPU,
        GPU.replace("accelerators = 1", "accelerators = 16"),
        "qwen2-5-7b-instruct.serving.accelerators = 16, but no instance type of the pools gpu has so many; there are "
        "some with 1, 4, 8",
    ),
    "no pool of the kind": (
        'kind              = "neuron"\n      instance_families = ["inf2", "trn1"]',
        'kind              = "gpu"\n      instance_families = ["g6"]',
        "qwen3-8b.runs_on = 'neuron' needs a pool with kind = 'neuron'; capacity.pools has none",
    ),
    "a pool of another kind": (
        GPU,
        GPU.replace("cpus", 'pool = "neuron", cpus'),
        "serving.pool = 'neuron' is not a pool with kind = 'gpu'; allowed are gpu",
    ),
    "more memory than any instance has": (
        RAY,
        RAY.replace("memory_gib = 4", "memory_gib = 4000"),
        "no instance type of the pools graviton, graviton-previous holds 4 cpus and 4000 GiB beside what a node needs",
    ),
    "more cores than the devices have": (
        NEURON,
        NEURON.replace("cores = 2", "cores = 8"),
        "qwen3-8b.serving.neuron.cores = 8, but 1 devices of the pools neuron have 2",
    ),
    "only instances beyond the limits": (
        GPU,
        GPU.replace("cpus = 3", "cpus = 40"),
        "qwen2-5-7b-instruct.serving: what could hold it, g6.16xlarge, g5.16xlarge, g6.12xlarge, g5.12xlarge, ",
    ),
    "more replicas than the pools may have": (
        "context_tokens = 16384\n      replicas       = 1",
        "context_tokens = 16384\n      replicas       = 9",
        "9 replicas need 9 accelerators, but the limits of gpu are 4 together",
    ),
    "no accelerators for a GPU model": (GPU, GPU.replace("accelerators = 1, ", ""), "needs serving.accelerators"),
    "a GPU model that is compiled for Neuron": (
        GPU,
        NEURON,
        "qwen2-5-7b-instruct: runs_on = 'gpu' has no serving.neuron",
    ),
    "no serving": (RAY, "", "runs_on = 'kuberay' needs serving; gpu, neuron, kuberay need it"),
    "fewer at most than at least": (
        GPU.replace(" }", ""),
        f"{GPU.replace(' }', '')}, most_replicas = 0",
        "most_replicas = 0, but it must be a whole number, 1 or more",
    ),
    "a name that no server can have": ("qwen2-5-7b-instruct = {", "Qwen_2 = {", "catalogue has 'Qwen_2'"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_one_clear_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DEV
    file = tmp_path / "dev.tfvars"
    file.write_text(DEV.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InvalidEnvironment) as refused:
        read_variable_file(file)

    assert message in str(refused.value)


def test_every_model_has_the_pools_that_hold_it() -> None:
    dev = load_environment("dev")
    assert dev.capacity is not None
    found = {
        name: sorted(pools_of(name, model, dev.capacity))
        for name, model in dev.models.catalogue.items()
        if model.serving is not None
    }

    assert found == {
        "qwen2-5-7b-instruct": ["gpu"],
        "qwen3-8b": ["neuron"],
        "all-minilm-l6-v2": ["graviton", "graviton-previous"],
    }


def test_scaling_changes_the_models_of_the_cluster_and_no_others() -> None:
    prod = load_environment("prod")
    night, more = with_replicas(prod, 0), with_replicas(prod, 5)

    assert {name: model.replicas for name, model in night.models.catalogue.items()} == {
        "qwen2-5-7b-instruct": 0,
        "qwen3-8b": 0,
        "all-minilm-l6-v2": 0,
        "nova-pro": 1,
    }
    serving = more.models.catalogue["qwen3-8b"].serving
    assert serving is not None
    assert serving.most_replicas == 5
    assert night.knowledge == prod.knowledge


@pytest.mark.parametrize(("replicas", "message"), [(-1, "greater than or equal to 0"), (500, "500 replicas need 500")])
def test_scaling_beyond_what_is_possible_is_refused(replicas: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_replicas(load_environment("dev"), replicas)
