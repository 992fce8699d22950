"""The local platform's verbs, with a real supervisord and a real llama.cpp server as the component."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tasks.environment import Environment
from tasks.llama_cpp.model_files import ensure_model
from tasks.platforms import Component, NotReady, UnknownComponent
from tasks.platforms.component_names import EMBEDDING
from tasks.platforms.local import LocalPlatform
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.owned_processes import owned_processes
from tests.tasks.conftest import until

pytestmark = pytest.mark.platform


@pytest.fixture
def component(local_environment: Environment, platform: LocalPlatform) -> Component:
    """The embedding server, with short times so that its illnesses show soon."""
    packaged = local_environment.models.catalogue[local_environment.models.embedding].packaged
    assert packaged is not None
    files = ensure_model("model", packaged, platform.data_directory / "models")
    server = LocalComponents.of(local_environment).model_server(EMBEDDING, files)
    return dataclasses.replace(server, health_seconds=10)


def pid_of(platform: LocalPlatform, name: str) -> int | None:
    (state,) = [state for state in platform.list_components() if state.name == name]
    return state.pid


def start(platform: LocalPlatform, component: Component) -> int:
    platform.deploy(component)
    platform.wait_until_ready(component.name)
    pid = pid_of(platform, component.name)
    assert pid is not None
    return pid


def test_deploy_makes_it_ready_where_it_says(platform: LocalPlatform, component: Component) -> None:
    assert platform.deploy(component) is True
    platform.wait_until_ready(component.name)

    assert platform.address(component.name) == component.address
    assert httpx.get(f"{component.address}/health", trust_env=False, timeout=60).is_success
    assert [state.state for state in platform.list_components()] == ["ready"]


def test_unchanged_component_is_left_alone_and_a_changed_one_replaced(
    platform: LocalPlatform, component: Component
) -> None:
    first = start(platform, component)

    assert platform.deploy(component) is False
    assert pid_of(platform, component.name) == first

    assert platform.deploy(dataclasses.replace(component, fingerprint="another model")) is True
    platform.wait_until_ready(component.name)
    assert pid_of(platform, component.name) != first
    assert not psutil.pid_exists(first)


def test_remove_stops_it_and_may_be_repeated(platform: LocalPlatform, component: Component) -> None:
    pid = start(platform, component)

    platform.remove(component.name)
    platform.remove(component.name)

    assert not psutil.pid_exists(pid)
    assert platform.list_components() == []
    with pytest.raises(UnknownComponent, match=r"'embedding' is not deployed; deployed are \[\]"):
        platform.address(component.name)


def test_killed_process_is_started_again(platform: LocalPlatform, component: Component) -> None:
    pid = start(platform, component)

    os.kill(pid, signal.SIGKILL)

    until(lambda: pid_of(platform, component.name) not in (None, pid))
    platform.wait_until_ready(component.name)


def test_process_that_hangs_is_restarted(platform: LocalPlatform, component: Component) -> None:
    # So long after its start it counts as running, and its health is watched from then on.
    platform.deploy(dataclasses.replace(component, ready_seconds=30))
    until(lambda: platform.list_components()[0].state == "ready")
    pid = pid_of(platform, component.name)
    assert pid is not None

    os.kill(pid, signal.SIGSTOP)

    until(lambda: pid_of(platform, component.name) not in (None, pid))
    until(lambda: platform.list_components()[0].state == "ready")
    assert not psutil.pid_exists(pid)


def test_component_that_cannot_start_says_why_with_its_log(platform: LocalPlatform, component: Component) -> None:
    broken = dataclasses.replace(component, command=(*component.command[:4], "/no/such/model", *component.command[5:]))
    platform.deploy(broken)

    with pytest.raises(NotReady, match=r"(?s)'embedding' at http://127\.0\.0\.1:\d+/health is failed.*/no/such/model"):
        platform.wait_until_ready(component.name)


def test_another_process_that_answers_on_the_port_is_not_taken_for_the_component(
    platform: LocalPlatform, component: Component, tmp_path: Path
) -> None:
    (tmp_path / "www" / "health").mkdir(parents=True)
    command = [sys.executable, "-m", "http.server", str(component.port), "--bind", "127.0.0.1", "-d", tmp_path / "www"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as intruder:
        try:
            until(lambda: _accepts(component.port))
            platform.deploy(dataclasses.replace(component, ready_seconds=3))
            with pytest.raises(NotReady):
                platform.wait_until_ready(component.name)
        finally:
            intruder.terminate()


def test_stop_ends_all_that_was_started_and_nothing_else(platform: LocalPlatform, component: Component) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        pid = start(platform, component)
        supervisor = platform.supervisor.running_pid()

        stopped = platform.stop()

        assert {pid, supervisor} <= set(stopped)
        assert not any(psutil.pid_exists(ended) for ended in stopped)
        assert bystander.poll() is None
        assert bystander.stdin is not None
        bystander.stdin.close()
    assert platform.stop() == []


def test_what_a_component_left_in_a_session_of_its_own_is_stopped_too(
    platform: LocalPlatform, component: Component
) -> None:
    script = (
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)"
    )
    platform.deploy(dataclasses.replace(component, command=(sys.executable, "-c", script)))
    until(lambda: len(_sessions(platform)) == 2)

    platform.stop()

    assert _sessions(platform) == []


def test_orphans_of_a_killed_supervisor_are_not_started_twice(platform: LocalPlatform, component: Component) -> None:
    orphan = start(platform, component)
    supervisor = platform.supervisor.running_pid()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: platform.supervisor.running_pid() is None)

    pid = start(platform, component)

    assert pid != orphan
    assert not psutil.pid_exists(orphan)
    servers = [p for p in owned_processes(platform.supervisor.url) if "tasks.llama_cpp.server" in p.cmdline()]
    assert [server.pid for server in servers] == [pid]


def test_files_of_a_platform_that_is_long_gone_do_no_harm(platform: LocalPlatform, component: Component) -> None:
    start(platform, component)
    platform.stop()
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(platform.supervisor.socket))
    # A process id that somebody else has by now.
    (platform.supervisor.directory / "supervisord.pid").write_text(f"{os.getpid()}\n")

    assert [state.state for state in platform.list_components()] == ["stopped"]
    start(platform, component)
    assert psutil.pid_exists(os.getpid())


def test_new_secrets_reach_the_components(platform: LocalPlatform, component: Component) -> None:
    old = start(platform, component)
    (platform.data_directory / "secrets.env").unlink()

    # Another process of this checkout, as it were.
    again = LocalPlatform(platform.laptop)
    pid = start(again, component)

    assert pid != old
    assert psutil.Process(pid).environ().items() >= dict(again.secrets).items()


def test_secrets_are_in_no_file_but_their_own(platform: LocalPlatform, component: Component) -> None:
    start(platform, component)
    values = [value.encode() for value in platform.secrets.values()]

    files = [path for path in platform.data_directory.rglob("*") if path.is_file() and path.suffix != ".gguf"]
    holders = {path.name for path in files if any(value in path.read_bytes() for value in values)}

    assert holders == {"secrets.env"}


def test_long_data_directory_still_gets_a_socket(local_environment: Environment, tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 30)
    laptop = local_environment.laptop
    assert laptop is not None
    platform = LocalPlatform(laptop.model_copy(update={"data_directory": str(deep)}))
    try:
        platform.supervisor.ensure_running()
        assert platform.supervisor.running_pid() is not None
        assert platform.supervisor.socket.parent.stat().st_mode & 0o077 == 0
    finally:
        platform.stop()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _sessions(platform: LocalPlatform) -> list[int]:
    # supervisord's own, which its children share, and those that were made below it.
    return sorted({os.getsid(process.pid) for process in owned_processes(platform.supervisor.url)})
