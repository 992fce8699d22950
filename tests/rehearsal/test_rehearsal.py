"""A whole rehearsal, as `make rehearse ENV=dev` runs it, and what it refuses."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from rehearsal.aws.not_creatable import not_creatable
from rehearsal.variable_files import copy_variable_file, lift_protection
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import read_variable_file
from tasks.helm.charts import CACHE_VARIABLE
from tasks.helm.releases_file import OwnChart, load_releases
from tests.plans import Plan

WITHIN_SECONDS = 2400


def rehearse(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "rehearsal", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_SECONDS,
    )


@contextmanager
def rehearsing(output: Path, *arguments: str) -> Generator[psutil.Popen]:
    """A rehearsal that runs beside the test, and is ended with it."""
    with output.open("wb") as file:
        process = psutil.Popen(
            [sys.executable, "-m", "rehearsal", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "COLUMNS": "160", CACHE_VARIABLE: str(output.parent / "no-charts")},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=120)


def listening(process: psutil.Popen) -> set[str]:
    """The addresses at which a process and all that it started listen now."""
    found: set[str] = set()
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found |= {one.laddr.ip for one in each.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    return found


def until(process: psutil.Popen, seconds: float, pause: float = 2) -> Iterator[None]:
    """A step each `pause` seconds until a process ends."""
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        assert time.monotonic() < deadline, f"it runs for more than {seconds} s"
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=pause)
        yield


@pytest.mark.terraform
@pytest.mark.kubernetes
@pytest.mark.prefect_server
@pytest.mark.timeout(WITHIN_SECONDS + 60)
def test_dev_goes_through_its_lifecycle_by_its_own_deployments(plan: Plan, tmp_path: Path) -> None:
    output = tmp_path / "output"
    heard: set[str] = set()
    with rehearsing(output, "--environment", "dev") as process:
        for _ in until(process, WITHIN_SECONDS, pause=10):
            heard |= listening(process) if process.poll() is None else set()
        returned = process.wait()
    text = output.read_text()
    assert returned == 0, text[-8000:]
    assert heard <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in heard
    releases = {name: each for name, each in load_releases().items() if each.stage == "addons"}
    for said in (
        "provision/dev suspended with the plan, was approved, applied it and published the outputs",
        "addons/dev rolled out",
        "knowledge/dev is not rehearsed",
        "drift/dev found no difference after provision",
        "drift/dev found that the versioning of 'agentic-eks-dev-knowledge-111122223333' was suspended by hand",
        "teardown/dev removed everything, and found nothing left by tag or by state",
    ):
        assert said in text
    for name, release in releases.items():
        chart = "own" if isinstance(release.chart, OwnChart) else "stand-in"
        assert re.search(rf"│ {name} +│ {chart} +│ installed +│", text) or release.enabled_by is not None, name
    assert "DIFFERS" not in text
    planned = {change.type for change in plan(EnvironmentName.DEV).planned()}
    applied = sum(int(types) for types in re.findall(r"(?:moto|ministack) +│ +\d+ +│ +(\d+)", text))
    assert applied == len(planned - {entry.type for entry in not_creatable()})
    for entry in not_creatable():
        assert entry.type in text


@pytest.mark.kubernetes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_that_was_started(tmp_path: Path, number: signal.Signals) -> None:
    output = tmp_path / "output"
    started: set[psutil.Process] = set()
    with rehearsing(output, "--environment", "dev") as process:
        for _ in until(process, 300):
            started |= set(process.children(recursive=True)) if process.poll() is None else set()
            if any("kube-apiserver" in each.name() for each in started if each.is_running()):
                process.send_signal(number)
                break
        assert process.wait(timeout=300) != 0
    gone, alive = psutil.wait_procs(started, timeout=180)
    assert alive == []
    assert len(gone) >= 4
    assert not list(Path(tempfile.gettempdir()).glob(f"rehearsal-{process.pid}-*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--environment", "local"), "'local' has nothing on AWS"),
        (("--environment", "dev", "--stages", "provision,polish"), "'polish' is not a valid Stage"),
        (("--environment", "dev", "--stages", "drift"), "must begin with provision"),
        (("--environment", "dev", "--stages", "provision,teardown,drift"), "in the order provision,addons,models"),
        (("--environment", "dev", "--kubeconfig", "nowhere"), "'nowhere' does not exist"),
        (("--environment", "moon"), "'moon' is not one of"),
    ],
)
def test_wrong_input_is_refused_before_anything_starts(arguments: tuple[str, ...], said: str) -> None:
    done = rehearse(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "emulated AWS" not in done.stdout


def test_protection_is_lifted_in_a_copy_only(tmp_path: Path) -> None:
    copy = copy_variable_file(EnvironmentName.PROD, tmp_path)
    assert read_variable_file(copy).environment.protected
    lift_protection(copy)
    assert not read_variable_file(copy).environment.protected
    assert read_variable_file(REPOSITORY / "infra/environments/prod.tfvars").environment.protected
    with pytest.raises(ValueError, match="0 times"):
        lift_protection(copy)
