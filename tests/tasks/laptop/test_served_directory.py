"""What a plain `make up` serves after one that named a directory, by what a real Prefect server keeps."""

from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.laptop.served_directory import (
    FLOWS,
    ServedDirectoryMissing,
    directory_parameters,
    directory_to_serve,
    documents_served,
    forget_directory,
)
from tasks.prefect_objects import reconcile

SETTINGS = load_environment(EnvironmentName.LOCAL)
DOCS = str(REPOSITORY / "docs")


def register(url: str, directory: str | None) -> None:
    reconcile(SETTINGS, url, dry_run=False, parameters=directory_parameters(directory))


def registered(client: SyncPrefectClient) -> list[object]:
    return [client.read_deployment_by_name(f"{flow}/local").parameters.get("directory") for flow in FLOWS]


@pytest.mark.prefect_server
def test_a_directory_serves_until_another_one_is_named(
    prefect_server: str, prefect_client: SyncPrefectClient, tmp_path: Path
) -> None:
    assert directory_to_serve(prefect_server, SETTINGS, None) is None, "nothing is deployed yet"
    register(prefect_server, None)
    assert directory_to_serve(prefect_server, SETTINGS, None) is None

    register(prefect_server, str(tmp_path))

    assert directory_to_serve(prefect_server, SETTINGS, None) == str(tmp_path)
    assert directory_to_serve(prefect_server, SETTINGS, DOCS) == DOCS


@pytest.mark.prefect_server
def test_a_directory_that_is_gone_is_named_with_what_to_do(
    prefect_server: str, prefect_client: SyncPrefectClient, tmp_path: Path
) -> None:
    gone = str(tmp_path / "gone")
    register(prefect_server, gone)

    with pytest.raises(ServedDirectoryMissing) as refused:
        directory_to_serve(prefect_server, SETTINGS, None)

    assert f"{gone!r}, as an earlier `make up KNOWLEDGE=...` said" in str(refused.value)
    assert "`make up KNOWLEDGE=docs` goes back to the sources of the variable file" in str(refused.value)


@pytest.mark.prefect_server
def test_once_readers_are_back_the_variable_file_alone_says_what_is_served(
    prefect_server: str, prefect_client: SyncPrefectClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register(prefect_server, str(tmp_path))
    forget_directory(prefect_server, SETTINGS, DOCS)
    assert registered(prefect_client) == [str(tmp_path)] * len(FLOWS), "somebody chose another one meanwhile"

    register(prefect_server, DOCS)
    capsys.readouterr()
    forget_directory(prefect_server, SETTINGS, DOCS)

    assert registered(prefect_client) == [None] * len(FLOWS)
    assert capsys.readouterr().out == ""


def test_what_is_served_is_said_with_the_way_back() -> None:
    own = "documents: file://docs, as the variable file says"
    assert documents_served(SETTINGS.knowledge, None) == own
    assert documents_served(SETTINGS.knowledge, DOCS) == own
    back = "`make up KNOWLEDGE=docs` goes back to the sources of the variable file"
    assert documents_served(SETTINGS.knowledge, "/my/files") == f"documents: /my/files, as KNOWLEDGE= said; {back}"
