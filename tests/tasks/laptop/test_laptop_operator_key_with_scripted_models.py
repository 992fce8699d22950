"""A laptop whose callers sign in: its flows and commands show the operator's key, which the service reads.

The service is the real one; its models are scripted.
"""

import re
import stat
from collections.abc import Iterator

import pytest

from tasks.agent_service.access import access_settings, laptop_operator_key
from tasks.agent_service.http_api import AssistantUnavailable, TimedAnswer, ask, search_all
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment, read_variable_file
from tasks.golden.answers import ask_all
from tasks.laptop.data_directory import operator_key_file
from tests.agents.conftest import Running, running_service
from tests.local_environment import write_local_environment

QUESTION = "What does make down stop?"


@pytest.fixture(scope="module")
def signing_in(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The laptop's file with its data in a directory of its own, and callers who have to sign in."""
    directory = tmp_path_factory.mktemp("laptop")
    file = write_local_environment(directory / "environments", directory / "state") / "local.tfvars"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"\n(agents = \{)", r"\n\1\n  sign_in = { required = true }", text), encoding="utf-8")
    return read_variable_file(file)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, signing_in: Environment) -> Iterator[Running]:
    access = access_settings(signing_in, None).model_dump()
    with running_service(tmp_path_factory.mktemp("service"), access=access) as running:
        running.gateway.reply = "`make down` stops every process that `make up` started."
        # The key is made at first use, and read at each request.
        laptop_operator_key(signing_in)
        running.wait_until_ready()
        yield running


def test_it_is_made_once_and_for_its_owner_alone(signing_in: Environment) -> None:
    first, second = laptop_operator_key(signing_in), laptop_operator_key(signing_in)
    assert first is not None
    assert first == second
    assert stat.S_IMODE(operator_key_file(signing_in).stat().st_mode) == 0o600


def test_where_nobody_signs_in_there_is_none() -> None:
    assert laptop_operator_key(load_environment("local")) is None


def test_the_probe_of_a_release_and_the_evaluation_are_let_in(service: Running, signing_in: Environment) -> None:
    key = laptop_operator_key(signing_in)
    assert ask.fn(service.url, QUESTION, 60, key).answer.citations
    assert search_all.fn(service.url, [QUESTION], 5, 60, key)[0].passages
    (answer,) = ask_all.fn(service.url, [QUESTION], 60, lambda _: None, key)
    assert isinstance(answer, TimedAnswer)
    assert answer.said.kind == "answered"


def test_without_the_key_they_are_not(service: Running) -> None:
    with pytest.raises(AssistantUnavailable, match="401"):
        ask.fn(service.url, QUESTION, 60)
