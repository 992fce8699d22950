"""`agents.freshness.prefect_credentials`: from the environment file to the service and its pod."""

import re
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import InvalidEnvironment, read_variable_file
from tasks.helm.derivations.agents import agents, settings_in_cluster
from tasks.secrets.inventory import named_secrets
from tests.charts.own_charts import sample_outputs

WINDOW = "window_minutes = 60"
SECRET = re.compile(r'tavily-api-key\s*= \{ origin = "person" \}')


def read_changed(directory: Path, name: str, credentials: str, origin: str = "person") -> Environment:
    """The shipped file with these credentials, and on AWS with a secret for them."""
    text = (REPOSITORY / "infra" / "environments" / f"{name}.tfvars").read_text(encoding="utf-8")
    changed = text.replace(WINDOW, f"{WINDOW}, prefect_credentials = {credentials}")
    assert changed != text
    path = directory / f"{name}.tfvars"
    secret = f'prefect-key = {{ origin = "{origin}" }}'
    path.write_text(SECRET.sub(rf"\g<0>\n    {secret}", changed), encoding="utf-8")
    return read_variable_file(path)


@pytest.mark.parametrize(
    ("kind", "variable"), [("api_key", "PREFECT_API_KEY"), ("auth_string", "PREFECT_API_AUTH_STRING")]
)
def test_the_pod_has_the_secret_in_the_variable_that_the_service_reads(
    kind: str, variable: str, tmp_path: Path
) -> None:
    environment = read_changed(tmp_path, "dev", f'{{ kind = "{kind}", secret = "prefect-key" }}')
    outputs = sample_outputs(environment.name)

    secrets = agents(environment, outputs)["secrets"]
    assert isinstance(secrets, dict)
    assert secrets[variable] == {"key": "agentic-eks-dev/prefect-key"}
    settings = settings_in_cluster(environment, outputs)
    assert settings.freshness is not None
    assert settings.freshness.refresh is not None
    credentials = settings.freshness.refresh.credentials
    assert credentials is not None
    assert (credentials.kind, credentials.variable) == (kind, variable)
    (named,) = [secret for secret in named_secrets(environment) if secret.name == "prefect-key"]
    assert named.needed_by == "agents"


# the environment, the credentials, the secret's origin, and what the error must say
REFUSED = {
    "on a laptop": ("local", '{ kind = "api_key", secret = "prefect-key" }', "person", "is for environments on AWS"),
    "secret of nobody": ("dev", '{ kind = "api_key", secret = "absent" }', "person", "must be a name of data.secrets"),
    "generated": ("dev", '{ kind = "api_key", secret = "prefect-key" }', "generated", "whose origin is 'person'"),
    "another kind": ("dev", '{ kind = "password", secret = "prefect-key" }', "person", "prefect_credentials.kind"),
}


@pytest.mark.parametrize(("name", "credentials", "origin", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_wrong_credentials_are_refused(name: str, credentials: str, origin: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment) as refusal:
        read_changed(tmp_path, name, credentials, origin)
    assert said in str(refusal.value)
