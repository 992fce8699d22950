"""`make up` and what follows, as a person meets it: one platform, used from top to bottom, in this order."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tasks.environment import EnvironmentName
from tasks.laptop.served_directory import registered_directory
from tasks.platforms.component_names import PREFECT_SERVER, PREFECT_WORKER
from tasks.runs.under_way import UNDER_WAY
from tests.end_to_end.conftest import Laptop
from tests.tasks.conftest import until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(1200)]

COMPONENTS = {"agents", "chat", "embedding", "gateway", "prefect-server", "prefect-worker"}
QUESTION = "When does the harbour open?"


def api_url(laptop: Laptop) -> str:
    return f"{laptop.platform.address(PREFECT_SERVER)}/api"


def runs_under_way(laptop: Laptop) -> list[str]:
    """The type of the state of every run that a process runs or is about to run."""
    wanted = {"flow_runs": {"state": {"type": {"any_": list(UNDER_WAY)}}}}
    found = httpx.post(f"{api_url(laptop)}/flow_runs/filter", json=wanted, trust_env=False).raise_for_status().json()
    return [run["state_type"] for run in found]


def begin_refresh(laptop: Laptop, document: Path, text: str) -> None:
    """Add a document, and return as soon as the deployment that embeds it runs."""
    document.write_text(text, encoding="utf-8")
    begun = laptop.prefect("deployment", "run", "knowledge/local")
    assert begun.returncode == 0, begun.stderr
    until(lambda: "RUNNING" in runs_under_way(laptop), 120)


def test_up_ends_with_a_cited_answer_the_stages_and_the_addresses(laptop: Laptop) -> None:
    said = laptop.first_up.stdout

    assert laptop.first_up.returncode == 0, said + laptop.first_up.stderr
    assert re.search(r'^\[1\] harbour\.md > .*: ".+"$', said, re.MULTILINE)
    stages = re.findall(r"^✓ (\w+) +[0-9.]+ s$", said, re.MULTILINE)
    assert stages == ["provision", "addons", "models", "knowledge", "evaluation", "agents"]
    assert "1 of 1 documents" in said
    assert "no labelled questions" in said
    assert re.search(r"^Prefect    http://127\.0\.0\.1:\d+$", said, re.MULTILINE)
    assert re.search(r"^Assistant  http://127\.0\.0\.1:\d+$", said, re.MULTILINE)
    assert "Traceback" not in said + laptop.first_up.stderr


def test_every_component_is_ready(laptop: Laptop) -> None:
    assert {name: component["state"] for name, component in laptop.status().items()} == dict.fromkeys(
        COMPONENTS, "ready"
    )


def test_nothing_listens_beyond_loopback(laptop: Laptop) -> None:
    connections = [connection for process in laptop.processes() for connection in process.net_connections(kind="inet")]

    assert {c.laddr[0] for c in connections if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_question_gets_a_cited_answer(laptop: Laptop) -> None:
    answer = laptop.console("ask", QUESTION)

    assert answer.returncode == 0, answer.stderr
    assert "six in the morning" in answer.stdout
    assert "[1] harbour.md" in answer.stdout


def test_second_up_starts_nothing_and_embeds_nothing(laptop: Laptop) -> None:
    before = laptop.pids()

    again = laptop.console("up")

    assert again.returncode == 0, again.stdout + again.stderr
    assert f"documents: {laptop.corpus}, as KNOWLEDGE= said" in again.stdout
    assert "nothing changed, nothing embedded" in again.stdout
    assert laptop.pids() == before
    generations = set(re.findall(r"\d{8}-\d{6}-[0-9a-f]+", laptop.first_up.stdout + again.stdout))
    assert len(generations) == 1


def test_refresh_runs_from_a_shell(laptop: Laptop) -> None:
    done = laptop.prefect("deployment", "run", "knowledge/local", "--watch")

    assert done.returncode == 0, done.stdout + done.stderr


def test_failing_run_exits_non_zero(laptop: Laptop) -> None:
    failed = laptop.prefect("deployment", "run", "knowledge/local", "--watch", "-p", "directory=/no/such/directory")

    assert failed.returncode == 1, failed.stdout + failed.stderr


def test_drift_is_none_and_then_found(laptop: Laptop) -> None:
    drift = (sys.executable, "-m", "flows.drift", "--environment", "local", "--directory", str(laptop.corpus))
    clean = laptop.run(*drift)
    gateway = laptop.platform.data_directory / "gateway.yaml"
    gateway.write_text(gateway.read_text(encoding="utf-8") + "# edited by hand\n", encoding="utf-8")
    (laptop.corpus / "tides.md").write_text("# Tides\n\nThe tide at Lindesnes is small.\n", encoding="utf-8")

    found = laptop.run(*drift)

    assert clean.returncode == 0, clean.stderr
    assert found.returncode == 1
    assert "gateway configuration: wanted 'as rendered', found 'differs'" in found.stderr
    assert "misses 1 new or changed documents" in found.stderr


def test_worker_killed_in_a_refresh_and_up_again_with_the_directory_of_the_sources(laptop: Laptop) -> None:
    begin_refresh(laptop, laptop.corpus / "fog.md", "# Fog\n\nThe fog bell rings every minute.\n")
    worker = psutil.Process(laptop.pids()[PREFECT_WORKER])
    for process in (worker, *worker.children(recursive=True)):
        process.kill()
    docs = laptop.checkout / "docs"
    docs.mkdir()
    (docs / "lighthouse.md").write_text(
        "# Lighthouse\n\nThe lighthouse stands sixteen metres tall.\n", encoding="utf-8"
    )
    assert registered_directory(api_url(laptop), EnvironmentName.LOCAL) == str(laptop.corpus)

    again = laptop.console("up", "--knowledge", "docs")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "marked as crashed" in again.stdout
    assert "documents: file://docs, as the variable file says" in again.stdout
    assert runs_under_way(laptop) == []
    answer = laptop.console("ask", "How tall is the lighthouse?")
    assert "sixteen metres" in answer.stdout
    assert registered_directory(api_url(laptop), EnvironmentName.LOCAL) is None
    # The gateway's edited file was put right as well.
    assert {component["state"] for component in laptop.status().values()} == {"ready"}


def test_the_gateway_key_is_in_no_file_but_its_own(laptop: Laptop) -> None:
    values = [value.encode() for value in laptop.platform.secrets.values()]
    files = (path for path in laptop.platform.data_directory.rglob("*") if path.is_file() and path.suffix != ".gguf")

    assert {path.name for path in files if any(value in path.read_bytes() for value in values)} == {"secrets.env"}


def test_down_cancels_what_runs_and_leaves_nothing(laptop: Laptop) -> None:
    begin_refresh(laptop, laptop.checkout / "docs" / "fees.md", "# Fees\n\nThe fee for a kayak is two crowns.\n")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as bystander:
        down = laptop.console("down")

        assert bystander.poll() is None
        assert bystander.stdin is not None
        bystander.stdin.close()
    assert down.returncode == 0, down.stderr
    assert "cancelled flow run" in down.stdout
    assert laptop.processes() == []
    assert laptop.console("down").stdout == "nothing was running\n"
    asked = laptop.console("ask", QUESTION)
    assert asked.returncode == 1
    assert "make up" in asked.stderr
    assert (laptop.platform.data_directory / "knowledge").is_dir()
