import stat
from pathlib import Path

from tasks.laptop.secret_file import GATEWAY_KEY, read_or_create_secrets


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secrets.env"

    first, second = read_or_create_secrets(path), read_or_create_secrets(path)

    assert first == second
    assert len(first[GATEWAY_KEY]) > 40
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_every_environment_has_its_own(tmp_path: Path) -> None:
    assert read_or_create_secrets(tmp_path / "a") != read_or_create_secrets(tmp_path / "b")


def test_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    read_or_create_secrets(path)
    path.chmod(0o644)

    read_or_create_secrets(path)

    assert mode(path) == 0o600


def test_missing_key_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text("# kept by hand\nTAVILY_API_KEY=abc=d\nLITELLM_MASTER_KEY=\n")

    secrets = read_or_create_secrets(path)

    assert secrets["TAVILY_API_KEY"] == "abc=d"
    assert secrets[GATEWAY_KEY].startswith("sk-")
    assert read_or_create_secrets(path) == secrets
    assert mode(path) == 0o600
