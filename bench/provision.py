"""What the flow `provision` adds to Terraform's own plan and apply of the same thing, on an emulated AWS."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import TypeAdapter

from bench.document import against, provenance_line, seconds, table
from bench.options import MeasurementFailed, NotMeasurable, Options
from bench.processes import running
from bench.record import Measured
from rehearsal.account import prepare_account
from rehearsal.aws import running_emulated_aws
from rehearsal.aws.not_creatable import plan_arguments
from rehearsal.provider_mirror import cli_configuration
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms.ports import free_port

LARGEST_SHARE = 0.05
LARGEST_TEST_SECONDS = 60
# The two tasks that do what `terraform plan` and `terraform apply` do; their names begin so.
TERRAFORM_TASKS = ("plan-", "apply-approved")
# Small enough to try the bench out.
QUICK_TARGET = "-target=module.encryption"


@dataclass(frozen=True)
class FlowRun:
    """A run of the flow as a command: seconds in all, and of each task by its name, nested ones included."""

    seconds: float
    tasks: dict[str, float]

    @property
    def terraform(self) -> float:
        """Seconds of the tasks that plan and apply, with all that they do around Terraform."""
        return sum(spent for name, spent in self.tasks.items() if name.startswith(TERRAFORM_TASKS))


@dataclass(frozen=True)
class Provisioned:
    """Plan and apply by Terraform alone, before and after the flow did the same; and `terraform test`, in seconds."""

    resources: int
    alone: tuple[float, float]
    flow: FlowRun
    tests: float

    @property
    def share(self) -> float:
        """What the flow's tasks add, as a share of Terraform alone."""
        return self.flow.terraform / mean(self.alone) - 1


RECORD = TypeAdapter(Measured[Provisioned])


def measure(options: Options) -> Provisioned:
    """Terraform alone, the flow, Terraform alone again: each on an emulated AWS of its own."""
    if shutil.which("terraform") is None:
        raise NotMeasurable("there is no terraform on PATH; 1.11 or newer is needed")
    targets = QUICK_TARGET if options.quick else plan_arguments(REPOSITORY / "infra")
    with tempfile.TemporaryDirectory(prefix="bench-provision-") as scratch:
        directory = Path(scratch)
        before, resources = _alone(directory / "before", targets)
        flow = _flow(directory / "flow", targets)
        after, _ = _alone(directory / "after", targets)
        tests = _tests(directory / "tests")
    return Provisioned(resources, (before, after), flow, tests)


@contextmanager
def _cloud(directory: Path, targets: str) -> Generator[dict[str, str]]:
    """The process environment of an empty account."""
    directory.mkdir()
    settings = load_environment(EnvironmentName.DEV)
    account, region = settings.environment.account_id, settings.environment.region
    if account is None or region is None:
        raise NotMeasurable("the variable file of 'dev' names no account and region")
    with running_emulated_aws(account, region) as aws:
        prepare_account(aws)
        yield {**os.environ, **cli_configuration(directory), **aws.environment, "TF_CLI_ARGS_plan": targets}


def _alone(directory: Path, targets: str) -> tuple[float, int]:
    with _cloud(directory, targets) as environment:
        root = _root(directory, environment)
        began = perf_counter()
        _terraform(root, environment, "plan", "-var-file=environments/dev.tfvars", "-out=bench.tfplan")
        _terraform(root, environment, "apply", "bench.tfplan")
        spent = perf_counter() - began
        resources = len(_terraform(root, environment, "state", "list").splitlines())
    print(f"terraform alone: {seconds(spent)} for {resources} resources", flush=True)
    return spent, resources


def _flow(directory: Path, targets: str) -> FlowRun:
    with _cloud(directory, targets) as environment:
        port = free_port("127.0.0.1")
        address = f"http://127.0.0.1:{port}"
        server = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        variables = {
            "PREFECT_HOME": str(directory),
            "PREFECT_API_URL": f"{address}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        with running(server, variables, f"{address}/api/ready", directory / "server.log"):
            began = perf_counter()
            command = ("-m", "flows.provision", "--environment", "dev", "--auto-approve")
            _run((sys.executable, *command), REPOSITORY, {**environment, **variables})
            spent = perf_counter() - began
            run = FlowRun(spent, _task_seconds(f"{address}/api"))
    print(f"the flow: {seconds(spent)}, of it planning and applying {seconds(run.terraform)}", flush=True)
    return run


def _task_seconds(api_url: str) -> dict[str, float]:
    with temporary_settings({PREFECT_API_URL: api_url}), get_client(sync_client=True) as client:
        return {run.name: run.total_run_time.total_seconds() for run in client.read_task_runs()}


def _tests(directory: Path) -> float:
    directory.mkdir()
    environment = {**os.environ, **cli_configuration(directory)}
    root = _root(directory, environment)
    began = perf_counter()
    _terraform(root, environment, "test")
    _terraform(root / "tests" / "sections", environment, "init")
    _terraform(root / "tests" / "sections", environment, "test")
    spent = perf_counter() - began
    print(f"terraform test: {seconds(spent)}", flush=True)
    return spent


def _root(directory: Path, environment: Mapping[str, str]) -> Path:
    root = directory / "infra"
    shutil.copytree(REPOSITORY / "infra", root, ignore=shutil.ignore_patterns(".terraform*"))
    (root / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    _terraform(root, environment, "init")
    return root


def _terraform(root: Path, environment: Mapping[str, str], command: str, *arguments: str) -> str:
    colour = () if command == "state" else ("-no-color",)
    return _run(("terraform", command, *colour, *arguments), root, environment)


def _run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MeasurementFailed(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def tables(record: Measured[Provisioned]) -> str:
    """The section of the document."""
    result = record.result
    rows = [
        (f"terraform plan and apply alone, {result.resources} resources", " and ".join(map(seconds, result.alone))),
        ("the flow's tasks that plan and apply", seconds(result.flow.terraform)),
        ("added", against(f"**{result.share:.1%}**", "at most 5 %", result.share <= LARGEST_SHARE)),
        ("the flow as a command, in all", seconds(result.flow.seconds)),
        (
            "`terraform test` for everything",
            against(seconds(result.tests), "under 60 s", result.tests < LARGEST_TEST_SECONDS),
        ),
    ]
    each = ", ".join(f"{name} {seconds(spent)}" for name, spent in sorted(result.flow.tasks.items()) if spent >= 1)
    return "\n\n".join(
        [provenance_line(record), table(("what", "figure"), rows), f"Tasks, nested ones included: {each}."]
    )
