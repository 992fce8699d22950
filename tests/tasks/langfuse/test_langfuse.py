"""Traces go to one place, and the environment file says which."""

from pathlib import Path

import pytest

from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file
from tasks.langfuse.destination import IN_CLUSTER, langfuse_project

TRACING = 'tracing = { host = "http://127.0.0.1:3000", public_key = "pk-lf-1" }'
LANGFUSE = 'langfuse     = { mode = "self_hosted", clickhouse = { replicas = 3, volume_gib = 100 } }'
CLOUD = 'langfuse     = { mode = "cloud", host = "https://cloud.langfuse.com", public_key = "pk-lf-2" }'
SECRET = 'langfuse-secret-key          = { origin = "generated" }'


def changed(tmp_path: Path, name: str, changes: dict[str, str]) -> Environment:
    text = (REPOSITORY / "infra" / "environments" / f"{name}.tfvars").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / f"{name}.tfvars"
    file.write_text(text, encoding="utf-8")
    return read_variable_file(file)


def test_a_laptop_traces_only_when_its_file_says_where(tmp_path: Path) -> None:
    assert langfuse_project(load_environment("local")) is None
    project = langfuse_project(changed(tmp_path, "local", {"agents = {\n": f"agents = {{\n  {TRACING}\n"}))
    assert project is not None
    assert (project.host, project.public_key) == ("http://127.0.0.1:3000", "pk-lf-1")
    assert (project.secret_variable, project.secret_name) == ("LANGFUSE_SECRET_KEY", None)


def test_on_aws_the_add_on_says_it(tmp_path: Path) -> None:
    here = langfuse_project(load_environment("prod"))
    assert here is not None
    assert (here.host, here.public_key) == (IN_CLUSTER, "pk-lf-agentic-eks-prod")
    assert here.secret_name == "agentic-eks-prod/langfuse-secret-key"
    changes = {LANGFUSE: CLOUD, SECRET: 'langfuse-secret-key = { origin = "person" }'}
    elsewhere = langfuse_project(changed(tmp_path, "prod", changes))
    assert elsewhere is not None
    assert (elsewhere.host, elsewhere.public_key) == ("https://cloud.langfuse.com", "pk-lf-2")


@pytest.mark.parametrize(
    ("name", "section", "said"),
    [
        ("prod", TRACING, "agents.tracing is for 'local'"),
        ("local", TRACING.replace("pk-lf-1", "sk-lf-1"), "agents.tracing.public_key"),
        ("local", TRACING.replace("http://", ""), "agents.tracing.host"),
    ],
)
def test_a_wrong_section_is_refused(name: str, section: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment) as refusal:
        changed(tmp_path, name, {"agents = {\n": f"agents = {{\n  {section}\n"})
    assert said in str(refusal.value)
