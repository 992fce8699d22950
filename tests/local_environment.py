"""A local environment of a test's own: the shipped variable file with its data below a temporary directory."""

import re
from pathlib import Path

from tasks.environment import REPOSITORY
from tests.ports import free_port

PORTS = ("prefect", "gateway", "embedding", "chat", "agents", "web_search")


def write_local_environment(directory: Path, data_directory: Path, generations_kept: int = 3) -> Path:
    """Write `local.tfvars` for a test into `directory` and return that directory.

    What differs from the shipped file is where its data lies, which ports are asked for first, and how many
    generations are kept.
    """
    text = (REPOSITORY / "infra" / "environments" / "local.tfvars").read_text(encoding="utf-8")
    text = re.sub(r'(data_directory\s*= )"[^"]*"', rf'\1"{data_directory}"', text)
    # The worker and a model of its own for reasoning ask for the port after the server's and after the chat model's.
    given = [free_port() for _ in range(2 * len(PORTS))][::2]
    ports = ", ".join(f"{name} = {port}" for name, port in zip(PORTS, given, strict=True))
    text = re.sub(r"(\n\s*ports\s*= )\{[^}]*\}", rf"\1{{ {ports} }}", text)
    text = re.sub(r"(generations_kept\s*= )\d+", rf"\g<1>{generations_kept}", text)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "local.tfvars").write_text(text, encoding="utf-8")
    return directory
