import subprocess
from pathlib import Path

import pytest

from tasks.git import UnknownCommit, export_commit


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "kept.txt").write_text("committed", encoding="utf-8")
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com")
    for arguments in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "One file"]):
        subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)
    return directory


def test_an_export_has_what_is_committed_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    (checkout / "kept.txt").write_text("changed since", encoding="utf-8")
    (checkout / "secret.txt").write_text("never committed", encoding="utf-8")

    export_commit("HEAD", tmp_path / "export", checkout)

    assert [path.name for path in (tmp_path / "export").iterdir()] == ["kept.txt"]
    assert (tmp_path / "export" / "kept.txt").read_text(encoding="utf-8") == "committed"


def test_a_commit_that_is_not_there_is_one_clear_error(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownCommit, match="has no commit '1111"):
        export_commit("1" * 40, tmp_path / "export", checkout)
