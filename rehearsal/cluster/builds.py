"""Builds the programs of a rehearsed cluster from their Go modules, once for each version."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.cluster.programs import Source
from tasks.cache_directory import cache_directory
from tasks.file_lock import file_lock

# The control plane takes 5 minutes on two idle cores, and the machine may be busy.
BUILT_WITHIN_SECONDS = 3600
# A change of how programs are built is a change of what is built.
_BUILD = ("-trimpath", "-mod=readonly")
_SMALLER = "-s -w"


class CannotBuild(Exception):
    """A program of the cluster is not there and cannot be built; says why, and what to do."""


@dataclass(frozen=True)
class Built:
    """The programs of one source, by name, and the directory of its manifests."""

    programs: dict[str, Path]
    manifests: Path


def built(source: Source) -> Built:
    """The programs of `source`, built when they are not in the user's cache yet; one process at a time builds.

    Raises:
        CannotBuild: Go is missing, or the build fails.
    """
    directory = _directory(source)
    if not directory.exists():
        with file_lock(_cache() / f"{source.name}.lock"):
            if not directory.exists():
                _build(source, directory)
    return Built({name: directory / name for name in source.packages}, directory / "manifests")


def is_built(source: Source) -> bool:
    """Whether the programs of `source` are in the user's cache."""
    return _directory(source).exists()


def why_not_built(source: Source) -> str | None:
    """What this machine lacks to have the programs of `source`; None when they are there or can be built."""
    if is_built(source) or shutil.which("go"):
        return None
    return f"go is not on PATH, and {source.name} {source.version} was not built before"


def _build(source: Source, directory: Path) -> None:
    if shutil.which("go") is None:
        raise CannotBuild(
            f"{source.name} {source.version} has to be built, but go is not on PATH: "
            "install Go 1.26 or newer (https://go.dev/doc/install)"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside its destination, so that it moves there whole.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{source.name}-") as scratch:
        made, work = Path(scratch) / "made", Path(scratch) / "work"
        (made / "manifests").mkdir(parents=True)
        work.mkdir()
        go_mod = _corrected(source, work) if source.corrections else source.directory / "go.mod"
        major, minor = source.version.removeprefix("v").split(".")[:2]
        stamps = " ".join(
            f"-X {variable}={value.format(version=source.version, major=major, minor=minor)}"
            for variable, value in source.stamps.items()
        )
        for name, package in source.packages.items():
            _go(
                source,
                *("build", *_BUILD, "-modfile", str(go_mod), "-ldflags", f"{_SMALLER} {stamps}"),
                *("-o", str(made / name), package),
            )
        for pattern in source.manifests:
            for manifest in _module_directory(source).glob(pattern):
                (made / "manifests" / manifest.name).write_bytes(manifest.read_bytes())
        made.rename(directory)


def _corrected(source: Source, work: Path) -> Path:
    """A go.mod that takes the module from a corrected copy; Go builds nothing else of its cache from other files."""
    copy = work / "module"
    original = _module_directory(source)
    for file in original.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(original)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy / file.relative_to(original))
    for correction in source.corrections:
        path = copy / correction.file
        text = path.read_text(encoding="utf-8")
        if correction.old not in text:
            raise CannotBuild(
                f"{source.module} {source.version} has no {correction.old!r} in {correction.file!r} any more: "
                "look whether the correction in rehearsal/cluster/programs.py is still needed"
            )
        path.write_text(text.replace(correction.old, correction.new), encoding="utf-8")
    go_mod = work / "corrected.mod"
    shutil.copyfile(source.directory / "go.mod", go_mod)
    _go(source, "mod", "edit", f"-replace={source.module}={copy}", str(go_mod))
    shutil.copyfile(source.directory / "go.sum", go_mod.with_suffix(".sum"))
    return go_mod


def _module_directory(source: Source) -> Path:
    if not source.packages:
        return Path(json.loads(_go(source, "mod", "download", "-json", source.module))["Dir"])
    # By a package, because it is loaded then: of a module that was not downloaded yet, Go does not know where it lies.
    package = next(package for package in source.packages.values() if package.startswith(source.module))
    return Path(_go(source, "list", "-mod=readonly", "-f", "{{.Module.Dir}}", package).strip())


def _go(source: Source, *arguments: str) -> str:
    # Somebody waits for the rehearsal, but the machine is theirs.
    command = ["nice", "-n", "10", "go", *arguments]
    answer = subprocess.run(
        command,
        cwd=source.directory,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILT_WITHIN_SECONDS,
    )
    if answer.returncode:
        raise CannotBuild(
            f"{source.name} {source.version} cannot be built: `go {' '.join(arguments)}` in {source.directory} ended "
            f"with {answer.returncode}:\n{answer.stderr[-3000:]}"
        )
    return answer.stdout


def _directory(source: Source) -> Path:
    return _cache() / f"{source.name}-{source.version}-{_digest(source)}"


def _digest(source: Source) -> str:
    parts = [
        *((source.directory / name).read_text(encoding="utf-8") for name in ("go.mod", "go.sum")),
        repr(replace(source, directory=Path())),
        repr((_BUILD, _SMALLER)),
        platform.system(),
        platform.machine(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _cache() -> Path:
    return cache_directory("cluster")
