"""What an environment file must have where callers sign in."""

import re
from pathlib import Path

import pytest

from tasks.environment.variable_file import InvalidEnvironment, read_variable_file
from tests.tasks.environment.prod_file import PROD

KEY = re.compile(r'agents-gate-key += \{ origin = "generated", rotation_days = 30 \}')


@pytest.mark.parametrize(
    ("changed", "found"),
    [("", "there is none"), ('agents-gate-key = { origin = "person" }', "its origin is 'person'")],
)
def test_the_key_of_the_release_gate_is_generated(tmp_path: Path, changed: str, found: str) -> None:
    assert KEY.search(PROD)
    path = tmp_path / "prod.tfvars"
    path.write_text(KEY.sub(changed, PROD), encoding="utf-8")
    with pytest.raises(InvalidEnvironment) as caught:
        read_variable_file(path)
    assert "needs data.secrets.agents-gate-key with origin = 'generated'" in str(caught.value)
    assert found in str(caught.value)
