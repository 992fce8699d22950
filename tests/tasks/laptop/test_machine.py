from pathlib import Path

import pytest

from tasks.laptop.machine import Check, MachineUnfit, check_machine, make_directories, require_fit


def test_this_machine_is_fit_and_nothing_is_made(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there"
    checks = check_machine(data)
    require_fit(checks)
    assert [check.name for check in checks] == ["Python", "memory", "free disk", "data directory"]
    assert list(tmp_path.iterdir()) == []


def test_file_in_the_way_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("in the way", encoding="utf-8")
    with pytest.raises(MachineUnfit, match=r"data directory: .*data cannot be written"):
        require_fit(check_machine(data))


def test_every_failed_check_is_named() -> None:
    checks = [Check("memory", "1.0 GiB", "4 GiB", False), Check("Python", "3.10", "3.11 to 3.14", False)]
    with pytest.raises(MachineUnfit, match=r"memory: 1\.0 GiB, needed 4 GiB; Python: 3\.10, needed 3\.11 to 3\.14"):
        require_fit(checks)


def test_only_missing_directories_are_made(tmp_path: Path) -> None:
    assert make_directories([tmp_path, tmp_path / "models"]) == [tmp_path / "models"]
    assert make_directories([tmp_path, tmp_path / "models"]) == []
