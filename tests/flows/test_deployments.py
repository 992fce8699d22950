"""The repository's own prefect.yaml: every deployment of it loads, deploys and runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from pydantic import SecretStr

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import PREFECT_FILE, reconcile
from tasks.runs.origin import record_origin
from tests.flows.conftest import RunPython

BLOCKS = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))["deployments"]
STAGES = [
    "lifecycle",
    "provision",
    "addons",
    "models",
    "knowledge",
    "evaluation",
    "traces",
    "agents",
    "drift",
    "drill",
    "upgrade",
    "teardown",
]
# A laptop's secrets are made by the stages that use them, it runs from its checkout, and nobody bills it or tells it
# of changes in S3.
ONLY_ON_AWS = ["secrets", "images", "events", "cost"]
FLOWS = [*STAGES, *ONLY_ON_AWS]


def test_every_flow_has_a_deployment_in_every_environment() -> None:
    deployed = {(block["entrypoint"], block["name"]) for block in BLOCKS}
    assert deployed == {
        (f"flows.{flow}.{flow}", name.value)
        for flow in FLOWS
        for name in EnvironmentName
        if name is not EnvironmentName.LOCAL or flow not in ONLY_ON_AWS
    }
    assert len(BLOCKS) == len(deployed)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block['entrypoint']}-{block['name']}")
def test_deployment_loads_and_takes_its_parameters(block: dict[str, object]) -> None:
    flow = load_flow_from_entrypoint(str(block["entrypoint"]), use_placeholder_flow=False)
    assert block["entrypoint"] == f"flows.{flow.name}.{flow.name}"
    assert block["parameters"] == {"environment": block["name"]}
    schema = parameter_schema(flow)
    assert schema.properties["environment"]["$ref"] == "#/definitions/EnvironmentName"
    assert schema.definitions["EnvironmentName"]["enum"] == ["local", "dev", "prod"]
    assert "environment" in schema.required
    assert flow.description
    assert record_origin in flow.on_running_hooks
    pool = block["work_pool"]
    assert isinstance(pool, dict)
    inside = block["name"] != "local" and flow.name in ("knowledge", "evaluation", "traces", "drill", "events")
    assert pool["name"] == (f"{block['name']}-cluster" if inside else "management")


def test_importing_the_flows_is_light(run_python: RunPython) -> None:
    program = (
        f"import sys, {', '.join(f'flows.{flow}' for flow in FLOWS)}\n"
        "heavy = {'ray', 'ragas', 'lancedb', 'matplotlib', 'torch', 'litellm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    outcome = run_python("-c", program)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == "[]"


@pytest.fixture
def notifications(prefect_server: str) -> Iterator[None]:
    """The block that `prod` names, whose webhook nobody calls here."""
    name = load_environment(EnvironmentName.PROD).environment.prefect.notifications
    assert name is not None
    Webhook(url=SecretStr("http://127.0.0.1:9/")).save(name, overwrite=True)
    yield
    Webhook.delete(name)


@pytest.mark.prefect_server
@pytest.mark.usefixtures("notifications")
def test_plain_prefect_deploy_accepts_the_file_and_agrees_with_ours(
    run_python: RunPython, checkout: Path, prefect_server: str, prefect_client: SyncPrefectClient
) -> None:
    file = checkout / "prefect.yaml"
    for name in EnvironmentName:
        reconcile(load_environment(name), prefect_server, dry_run=False, file=file)
    for deployment in prefect_client.read_deployments():
        prefect_client.delete_deployment(deployment.id)

    outcome = run_python("-m", "prefect", "--no-prompt", "deploy", "--all")

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert len(prefect_client.read_deployments()) == len(BLOCKS)
    for name in EnvironmentName:
        changes = reconcile(load_environment(name), prefect_server, dry_run=True, file=file)
        differing = {(change.kind, change.action) for change in changes if change.action != "unchanged"}
        assert differing == {("schedule", "create")}


@pytest.mark.prefect_server
def test_deployment_runs_in_a_real_worker(
    run_python: RunPython, checkout: Path, prefect_server: str, prefect_client: SyncPrefectClient
) -> None:
    file = checkout / "prefect.yaml"
    reconcile(load_environment(EnvironmentName.LOCAL), prefect_server, dry_run=False, file=file)
    asked = run_python("-m", "prefect", "deployment", "run", "addons/local")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    deployment = prefect_client.read_deployment_by_name("addons/local")

    worker = run_python("-m", "prefect", "worker", "start", "--pool", "management", "--run-once")

    assert worker.returncode == 0, worker.stdout + worker.stderr
    (run,) = [run for run in prefect_client.read_flow_runs() if run.deployment_id == deployment.id]
    assert run.state is not None
    assert run.state.is_completed(), worker.stdout + worker.stderr
