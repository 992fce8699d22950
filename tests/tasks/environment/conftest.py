from pathlib import Path

import pytest

from tests.tasks.environment.laptop_file import LAPTOP


@pytest.fixture
def variable_file(tmp_path: Path) -> Path:
    path = tmp_path / "local.tfvars"
    path.write_text(LAPTOP, encoding="utf-8")
    return path
