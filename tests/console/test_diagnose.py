"""`diagnose` as a person types it: one file to pass on, in which no secret is."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tasks.platforms import Component
from tests.local_environment import write_local_environment

API_KEY = "ak_9106358866b3_b7GNW6n5imMIAWki3hc4LMtkL6tmtTX_YNAxQovUUDs"
OWN = "something-that-looks-like-no-secret"


@pytest.fixture
def bundle(tmp_path: Path) -> dict[str, str]:
    """The files of a diagnosis, by name, of a platform whose Prefect server is away and whose log holds secrets."""
    state = tmp_path / "state"
    directory = write_local_environment(tmp_path / "environments", state)
    record = state / "supervisor" / "components" / "prefect-server.json"
    record.parent.mkdir(parents=True)
    server = Component("prefect-server", ("true",), "127.0.0.1", 1, "/", {}, 1, "")
    record.write_text(json.dumps(asdict(server)), encoding="utf-8")
    (state / "secrets.env").write_text(f"LITELLM_MASTER_KEY={OWN}\n", encoding="utf-8")
    (state / "logs").mkdir()
    said = "old\n" + "x\n" * 2000 + f"jane@example.com sent {API_KEY} and {OWN} from {Path.home()}/papers\n"
    (state / "logs" / "gateway.log").write_text(said, encoding="utf-8")

    command = [sys.executable, "-m", "console", "diagnose"]
    variables = {**os.environ, "AGENTIC_EKS_ENVIRONMENTS": str(directory)}
    done = subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    (path,) = state.glob("diagnosis-*.zip")
    assert str(path) in done.stdout
    with zipfile.ZipFile(path) as files:
        return {name: files.read(name).decode() for name in files.namelist()}


def test_what_a_colleague_needs_is_there_and_no_secret(bundle: dict[str, str]) -> None:
    assert set(bundle) == {"about.json", "environment.json", "components.json", "runs.json", "logs/gateway.log"}
    assert json.loads(bundle["about.json"])["packages"]["prefect"]
    assert json.loads(bundle["components.json"])[0]["name"] == "prefect-server"
    assert "got no answer" in bundle["runs.json"], "that the server is away is a finding"
    whole = "".join(bundle.values())
    assert API_KEY not in whole
    assert OWN not in whole
    assert bundle["logs/gateway.log"].endswith("[e-mail] sent [key] and [LITELLM_MASTER_KEY] from ~/papers\n")
    assert not bundle["logs/gateway.log"].startswith("old"), "the end of a log is enough"
