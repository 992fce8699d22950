"""What `upgrade` and `lifecycle` do without a cluster, as the commands that people type."""

from pathlib import Path

import pytest

from tests.flows.conftest import RunPython

pytestmark = pytest.mark.prefect_server


def test_a_laptop_has_nothing_to_upgrade(run_python: RunPython) -> None:
    outcome = run_python("-m", "flows.upgrade", "--environment", "local")

    assert outcome.returncode == 0, outcome.stderr
    assert "A laptop has no cluster: nothing to upgrade." in outcome.stdout + outcome.stderr


def test_a_directory_of_documents_is_for_the_lifecycle_of_a_laptop(run_python: RunPython, tmp_path: Path) -> None:
    outcome = run_python("-m", "flows.lifecycle", "--environment", "dev", "--directory", str(tmp_path))

    assert outcome.returncode == 2
    assert "is for 'local' only, not for 'dev'" in outcome.stderr
