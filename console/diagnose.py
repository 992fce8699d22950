"""`python -m console diagnose`: one file for a colleague who is to find out what is wrong with the platform."""

import json
import zipfile
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import httpx
import psutil
import typer

from agents.tracing.masking import mask
from console.failures import explained
from console.status import record
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.git import current_commit
from tasks.platforms import UnknownComponent
from tasks.platforms.component_names import PREFECT_SERVER
from tasks.platforms.local import LocalPlatform, laptop_of

LOG_LINES = 2000
RUNS = 50
PREFECT_SECONDS = 20


def diagnose() -> None:
    """Put versions, variable file, states, the last runs and the ends of the logs into one file, without secrets."""
    now = datetime.now(UTC)
    with explained():
        environment = load_environment(EnvironmentName.LOCAL)
        platform = LocalPlatform(laptop_of(environment))
        hide = hiding(platform.secrets)
        texts = {
            "about.json": _json(_about(platform.data_directory, now)),
            "environment.json": environment.model_dump_json(indent=2),
            "components.json": _json([record(state) for state in platform.list_components()]),
            "runs.json": _runs(platform),
        }
        path = platform.data_directory / f"diagnosis-{now:%Y%m%d-%H%M%S}.zip"
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in texts.items():
                bundle.writestr(name, hide(text))
            for log in sorted(platform.logs.glob("*.log")):
                bundle.writestr(f"logs/{log.name}", hide(_end_of(log)))
    typer.echo(f"{path}: passwords, keys and addresses of people are taken out; look through it before you pass it on")


def hiding(secrets: Mapping[str, str]) -> Callable[[str], str]:
    """What takes these secrets, by their names, out of a text, and all else that looks like one or like a person."""

    def hide(text: str) -> str:
        for name, value in secrets.items():
            text = text.replace(value, f"[{name}]")
        return mask(text.replace(str(Path.home()), "~"))

    return hide


def _about(data: Path, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "commit": current_commit(),
        "cores": psutil.cpu_count(),
        "memory": psutil.virtual_memory()._asdict(),
        "load": psutil.getloadavg(),
        "disk": psutil.disk_usage(str(data))._asdict(),
        "packages": dict(sorted((each.name, each.version) for each in distributions())),
    }


def _runs(platform: LocalPlatform) -> str:
    """The last flow runs as Prefect has them; that it does not answer is a finding, too."""
    wanted = {"limit": RUNS, "sort": "EXPECTED_START_TIME_DESC"}
    try:
        where = f"{platform.address(PREFECT_SERVER)}/api/flow_runs/filter"
    except UnknownComponent:
        return "the Prefect server is not deployed"
    try:
        answer = httpx.post(where, json=wanted, timeout=PREFECT_SECONDS, trust_env=False)
    except httpx.TransportError as error:
        return f"POST {where} got no answer: {type(error).__name__} {error}"
    return _json(answer.json()) if answer.is_success else f"POST {where} answers {answer.status_code}: {answer.text}"


def _end_of(log: Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as lines:
        return "".join(deque(lines, LOG_LINES))


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str)
