"""`status`, `logs`, `ask` and `down` as a person types them."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tasks.platforms import Component
from tests.local_environment import write_local_environment


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The process environment in which the commands find a local environment of the test's own."""
    directory = write_local_environment(tmp_path / "environments", tmp_path / "state")
    return {**os.environ, "AGENTIC_EKS_ENVIRONMENTS": str(directory)}


def console(variables: dict[str, str], *arguments: str | bytes) -> "subprocess.CompletedProcess[str]":
    command: list[str | bytes] = [sys.executable, "-m", "console", *arguments]
    return subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_status_of_nothing_leaves_nothing(variables: dict[str, str], tmp_path: Path) -> None:
    answer = console(variables, "status")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert "make up" in answer.stdout
    assert json.loads(console(variables, "status", "--format", "json").stdout) == []
    assert not (tmp_path / "state").exists()


def test_status_says_why_web_search_is_off(variables: dict[str, str], tmp_path: Path) -> None:
    gateway = Component("gateway", ("true",), "127.0.0.1", 4000, "/", {}, 1, "")
    record = tmp_path / "state" / "supervisor" / "components" / "gateway.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(asdict(gateway)), encoding="utf-8")

    answer = console(variables, "status")

    assert "web-search is off: TAVILY_API_KEY was not set" in answer.stdout


def test_down_with_nothing_running_is_fine(variables: dict[str, str]) -> None:
    answer = console(variables, "down")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "nothing was running\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("logs", "nonsense"), "no log of 'nonsense'"),
        (("ask",), "the question is empty"),
        (("ask", "  "), "the question is empty"),
        (("ask", b"caf\xe9"), "not UTF-8: byte 0xe9"),
        (("status", "--format", "xml"), "'xml' is not one of"),
        (("nonsense",), "No such command 'nonsense'"),
        (("up", "--knowledge", "/no/such/directory"), "/no/such/directory"),
    ],
)
def test_wrong_input_is_exit_code_2_and_one_message(
    variables: dict[str, str], arguments: tuple[str | bytes, ...], said: str
) -> None:
    answer = console({**variables, "COLUMNS": "200"}, *arguments)

    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", [("ask", "Why?"), ("deploy", "--environment", "local")])
def test_platform_that_is_down_is_exit_code_1(variables: dict[str, str], command: tuple[str, ...]) -> None:
    answer = console(variables, *command)

    assert answer.returncode == 1
    assert "`make up` starts it" in answer.stderr


def test_question_of_make_ask_is_read_by_no_shell(variables: dict[str, str], tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    question = f"\"; touch {trap}; $(touch {trap}) `touch {trap}` $(shell touch {trap}) ' # %"
    command = ["make", "--silent", "--old-file=setup", f"BIN={Path(sys.executable).parent}", "ask", f"Q={question}"]

    answer = subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert "`make up` starts it" in answer.stderr
    assert not trap.exists()


def test_broken_variable_file_is_exit_code_2(variables: dict[str, str]) -> None:
    path = Path(variables["AGENTIC_EKS_ENVIRONMENTS"]) / "local.tfvars"
    path.write_text(path.read_text(encoding="utf-8").replace("listen_host", "listen_hots"), encoding="utf-8")

    answer = console(variables, "status")

    assert answer.returncode == 2
    assert "listen_hots" in answer.stderr


def test_help_lists_every_command(variables: dict[str, str]) -> None:
    answer = console(variables, "--help")

    assert answer.returncode == 0
    assert all(command in answer.stdout for command in ("up", "down", "status", "logs", "ask", "deploy"))
