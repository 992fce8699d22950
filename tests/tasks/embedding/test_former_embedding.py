"""What the environment file's former embedding model becomes: on a laptop, and in the cluster of `dev`."""

from pathlib import Path

import pytest

from tasks.agent_service.settings import agent_settings
from tasks.embedding.identity import embedding_identity
from tasks.embedding.model import former_embedding
from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import InvalidEnvironment, read_variable_file
from tasks.gateway.smoke_test import roles_of
from tasks.helm.derivations.agents import FORMER_EMBEDDING_FINGERPRINT, EmbeddingNotMirrored, settings_in_cluster
from tasks.helm.derivations.gateway import cluster_gateway_configuration
from tasks.helm.derivations.models import models as models_values
from tasks.knowledge.on_kuberay import refresh_request
from tasks.platforms.component_names import FORMER_EMBEDDING
from tasks.platforms.local_components import LocalComponents
from tests.charts.own_charts import sample_outputs
from tests.former_embedding import MODEL, OLD, name_former_embedding
from tests.local_environment import write_local_environment


def changed(directory: Path, name: str, *role: str) -> Environment:
    """The shipped environment with its embedding model twice in the catalogue, the second time as the former one."""
    file = directory / f"{name}.tfvars"
    if name == "local":
        write_local_environment(directory, directory / "state")
    else:
        file.write_bytes((REPOSITORY / "infra" / "environments" / file.name).read_bytes())
    name_former_embedding(file, *role)
    return read_variable_file(file)


def test_a_laptop_serves_both_models_and_its_service_knows_both(tmp_path: Path) -> None:
    environment = changed(tmp_path, "local")

    components = LocalComponents.of(environment)
    assert len(set(components.ports.values())) == len(components.ports)
    assert f":{components.ports[FORMER_EMBEDDING]}/v1" in components.gateway_configuration()
    told = agent_settings(environment, "127.0.0.1", 8080, "http://127.0.0.1:4000/v1").models
    assert [model.name for model in told.embeddings.values()] == [MODEL, OLD]
    assert roles_of(environment.models)[:2] == [MODEL, OLD]
    assert list(former_embedding(environment.models, tmp_path)) == [embedding_identity(environment.models, OLD)]


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("", rf"catalogue\.{OLD} runs on this machine and plays no role.*former_embedding"),
        (f'former_embedding = "{MODEL}"', "is the embedding model itself; leave it out"),
        ('former_embedding = "smollm2-135m"', r"needs catalogue\.smollm2-135m\.dimension"),
        ('former_embedding = "absent"', "'absent' is not in the catalogue"),
    ],
)
def test_a_former_model_that_cannot_be_one_is_refused(tmp_path: Path, role: str, said: str) -> None:
    with pytest.raises(InvalidEnvironment, match=said):
        changed(tmp_path, "local", role)


def test_a_cluster_serves_both_models_and_the_gate_of_its_refresh_knows_both(tmp_path: Path) -> None:
    environment = changed(tmp_path, "dev")
    outputs = {**sample_outputs(environment.name), FORMER_EMBEDDING_FINGERPRINT: "1" * 64}

    services = models_values(environment, outputs)["rayServices"]
    assert isinstance(services, dict)
    assert {MODEL, OLD} <= services.keys()
    assert f"http://{OLD}-serve-svc.ray" in cluster_gateway_configuration(environment, outputs)
    told = settings_in_cluster(environment, outputs).models.former_embedding
    assert told is not None
    assert (told.name, told.fingerprint) == (OLD, "1" * 64)
    job = refresh_request(environment, outputs, "ray@sha256:0", confirm_deletions=False).job
    assert job.former is not None
    assert (job.model.name, job.former.model.name) == (MODEL, OLD)


def test_a_former_model_that_is_not_mirrored_is_named(tmp_path: Path) -> None:
    environment = changed(tmp_path, "dev")
    with pytest.raises(EmbeddingNotMirrored, match=f"'{OLD}' is not mirrored: run models/dev"):
        settings_in_cluster(environment, sample_outputs(environment.name))
