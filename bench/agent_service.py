"""The agent service as a process of its own, with the gateway and Langfuse simulated."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.access.settings import Load
from agents.settings import Langfuse
from bench.processes import running
from bench.simulated_gateway import Script
from tasks.agent_service.settings import agent_settings
from tasks.environment import Environment
from tasks.langfuse.destination import SECRET_VARIABLE
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.platforms.ports import free_port


@dataclass(frozen=True)
class ServedAgents:
    """The base URLs of the service and of what stands in for gateway and Langfuse, and the service's process id."""

    url: str
    gateway: str
    langfuse: str
    process: int


@contextmanager
def served_agents(
    environment: Environment, script: Script, directory: Path, *, load: Load | None = None, pace: Sequence[str] = ()
) -> Generator[ServedAgents]:
    """Run all of it until the end of the block, which begins when it is ready; files and logs go to `directory`.

    `load` replaces the environment's own, and `pace` are arguments of the gateway that say how fast its model writes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "script.json").write_text(json.dumps(asdict(script)), encoding="utf-8")
    gateway, service, sink = free_port("127.0.0.1"), free_port("127.0.0.1"), free_port("127.0.0.1")
    url, models, langfuse = (f"http://127.0.0.1:{port}" for port in (service, gateway, sink))
    settings = agent_settings(environment, "127.0.0.1", service, f"{models}/v1")
    traced = Langfuse(host=langfuse, public_key="pk-lf-simulated", secret_key_variable=SECRET_VARIABLE)
    access = settings.access if load is None else settings.access.model_copy(update={"load": load})
    settings = settings.model_copy(update={"langfuse": traced, "access": access})
    (directory / "settings.json").write_text(settings.model_dump_json(), encoding="utf-8")
    simulated = ("bench.simulated_gateway", "--port", str(gateway), "--script", str(directory / "script.json"), *pace)
    variables = {
        "AGENTS_SETTINGS": str(directory / "settings.json"),
        GATEWAY_KEY: "simulated",
        SECRET_VARIABLE: "simulated",
    }
    with (
        running(simulated, {}, f"{models}/openapi.json", directory / "gateway.log"),
        running(("bench.langfuse_sink", "--port", str(sink)), {}, f"{langfuse}/spans", directory / "langfuse.log"),
        running(("agents.service",), variables, f"{url}/readyz", directory / "service.log") as process,
    ):
        yield ServedAgents(url, models, langfuse, process)
