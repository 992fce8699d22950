"""`environment.prefect.credentials`: from the environment file to the worker in the cluster and its flow runs."""

import re
from pathlib import Path
from typing import Any

import pytest
from prefect_kubernetes.settings import KubernetesSettings

from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import InvalidEnvironment, read_variable_file
from tasks.helm.command import open_helm
from tasks.helm.derived_values import derived_values
from tasks.helm.preparation import Sources, described_releases
from tasks.helm.rendering import ChartInstance, Manifest, render
from tasks.helm.values import Layer, LayeredValues
from tasks.secrets.inventory import named_secrets
from tests.charts.own_charts import KUBERNETES, of_kind, sample_outputs

POOLS = re.compile(r"work_pools\s*= \{")
SECRET = re.compile(r'tavily-api-key\s*= \{ origin = "person" \}')
AUTH_STRING = '{ kind = "auth_string", secret = "prefect-auth" }'
API_KEY = '{ kind = "api_key", secret = "prefect-auth" }'


def read_changed(directory: Path, name: str, credentials: str, origin: str = "person") -> Environment:
    """The shipped file with these credentials, and on AWS with a secret for them."""
    text = (REPOSITORY / "infra" / "environments" / f"{name}.tfvars").read_text(encoding="utf-8")
    changed = POOLS.sub(rf"credentials = {credentials}\n    \g<0>", text)
    assert changed != text
    path = directory / f"{name}.tfvars"
    secret = f'prefect-auth = {{ origin = "{origin}" }}'
    path.write_text(SECRET.sub(rf"\g<0>\n    {secret}", changed), encoding="utf-8")
    return read_variable_file(path)


def rendered_secrets(environment: Environment) -> list[Manifest]:
    derived = Layer("derived", derived_values("prefect-secrets", environment, sample_outputs(environment.name)))
    chart = REPOSITORY / "infra" / "charts" / "prefect-secrets"
    with open_helm(None) as helm:
        return render(ChartInstance("prefect-secrets", "prefect", chart, LayeredValues((derived,))), helm, KUBERNETES)


def worker_of(environment: Environment) -> dict[str, Any]:
    worker = derived_values("prefect-worker", environment, sample_outputs(environment.name))["worker"]
    assert isinstance(worker, dict)
    return worker


@pytest.mark.parametrize(("credentials", "key"), [(AUTH_STRING, "auth-string"), (API_KEY, "key")])
def test_the_secret_comes_out_of_secrets_manager(credentials: str, key: str, tmp_path: Path) -> None:
    environment = read_changed(tmp_path, "dev", credentials)

    (secret,) = of_kind(rendered_secrets(environment), "ExternalSecret").values()
    assert (secret["metadata"]["namespace"], secret["spec"]["target"]["name"]) == ("prefect", "prefect-credentials")
    assert secret["spec"]["data"] == [{"secretKey": key, "remoteRef": {"key": "agentic-eks-dev/prefect-auth"}}]
    assert "prefect-secrets" in described_releases(environment, Sources())["prefect-worker"].needs
    (named,) = [each for each in named_secrets(environment) if each.name == "prefect-auth"]
    assert named.needed_by == "addons"


def test_a_server_of_ones_own_is_asked_with_its_auth_string(tmp_path: Path) -> None:
    worker = worker_of(read_changed(tmp_path, "dev", AUTH_STRING))
    # With an existing secret the chart itself has the worker pass it on to the pods of runs.
    assert worker["selfHostedServerApiConfig"]["basicAuth"] == {
        "enabled": True,
        "existingSecret": "prefect-credentials",
    }
    assert "extraEnvVars" not in worker


def test_prefect_cloud_is_asked_with_a_key_that_no_job_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_of(read_changed(tmp_path, "dev", API_KEY))
    key, *told = worker["extraEnvVars"]
    reference = {"name": "prefect-credentials", "key": "key"}
    assert key == {"name": "PREFECT_API_KEY", "valueFrom": {"secretKeyRef": reference}}
    for variable in told:
        monkeypatch.setenv(variable["name"], variable["value"])
    understood = KubernetesSettings().worker
    assert {"name": understood.api_key_secret_name, "key": understood.api_key_secret_key} == reference
    assert "basicAuth" not in worker["selfHostedServerApiConfig"]


def test_where_nobody_signs_in_there_is_no_secret() -> None:
    environment = read_variable_file(REPOSITORY / "infra" / "environments" / "dev.tfvars")
    assert of_kind(rendered_secrets(environment), "ExternalSecret") == {}
    worker = worker_of(environment)
    assert worker["selfHostedServerApiConfig"] == {"apiUrl": "https://prefect.example.com/api"}
    assert "extraEnvVars" not in worker


# the environment, the credentials, the secret's origin, and what the error must say
REFUSED = {
    "on a laptop": ("local", AUTH_STRING, "person", "environment.prefect.credentials is for environments on AWS"),
    "generated": ("dev", AUTH_STRING, "generated", "environment.prefect.credentials.secret = 'prefect-auth'"),
    "another kind": ("dev", '{ kind = "password", secret = "prefect-auth" }', "person", "prefect.credentials.kind"),
}


@pytest.mark.parametrize(("name", "credentials", "origin", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_wrong_credentials_are_refused(name: str, credentials: str, origin: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment) as refusal:
        read_changed(tmp_path, name, credentials, origin)
    assert said in str(refusal.value)
