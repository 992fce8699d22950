"""The variable files of the repository."""

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import InvalidEnvironment, load_environment


@pytest.mark.parametrize("name", EnvironmentName)
def test_every_environment_of_the_repository_is_accepted(name: EnvironmentName) -> None:
    assert load_environment(name).name is name


def test_an_unknown_environment_names_the_known_ones() -> None:
    with pytest.raises(InvalidEnvironment, match=r"unknown environment 'staging'; .* local, dev, prod"):
        load_environment("staging")


def test_production_is_protected_and_nothing_else_is_shared_with_dev() -> None:
    dev, prod = load_environment("dev"), load_environment("prod")
    assert prod.environment.protected
    assert prod.environment.account_id != dev.environment.account_id
    assert prod.knowledge.sources[0].uri != dev.knowledge.sources[0].uri
