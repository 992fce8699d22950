"""Images really built, by buildah without a daemon, and really started, in a root that cannot be written.

No registry is asked for anything: a small Debian made by debootstrap, of the release that the Dockerfile's own base is
of, stands in for that base. What is downloaded is kept between runs.
"""

import configparser
import json
import os
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.cache_directory import cache_directory
from tasks.environment import REPOSITORY
from tasks.environment.data import ImageName
from tasks.file_lock import file_lock
from tasks.images.buildah import Buildah, BuildRequest

RELEASE = "trixie"
# What the Python image has of Debian; its Python is Debian's own here, of the same minor version.
PACKAGES = ("ca-certificates", "python3-minimal", "python3-venv")
MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE = "localhost/stand-in-base"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = "https://git.example.com/agentic-eks"


def why_no_images() -> str | None:
    """What this machine lacks to build images; None when nothing."""
    absent = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if absent:
        return f"{' and '.join(absent)} not on PATH"
    return None if os.geteuid() == 0 else "only root can build and mount images without a daemon"


def stand_in_base() -> Path:
    """The archive of the small Debian, made once."""
    directory = cache_directory("images")
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / f"{RELEASE}-{'-'.join(PACKAGES)}.tar"
    with file_lock(directory / "base.lock"):
        if not archive.exists():
            root = directory / "base"
            shutil.rmtree(root, ignore_errors=True)
            _run(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, str(root), MIRROR])
            scratch = archive.with_suffix(".part")
            _run(
                [
                    "tar",
                    "--create",
                    "--directory",
                    str(root),
                    "--exclude",
                    "./var/cache/apt/*",
                    "--file",
                    str(scratch),
                    ".",
                ]
            )
            shutil.rmtree(root)
            scratch.rename(archive)
    return archive


@dataclass(frozen=True)
class Workshop:
    """Builds the project's images with `builder`."""

    builder: Buildah

    def build(self, image: ImageName) -> "Image":
        """Build one of the Dockerfile's targets from the working tree."""
        request = BuildRequest(image, REPOSITORY, COMMIT, SOURCE, base=BASE)
        return Image(self.builder, self.builder.build(request))


@contextmanager
def workshop(directory: Path) -> Generator[Workshop]:
    """A workshop that has the stand-in for the base; its containers and images are gone afterwards."""
    kept = cache_directory("images")
    archive = stand_in_base()
    storage = ("--root", str(directory / "root"), "--runroot", str(directory / "run"), "--storage-driver", _driver())
    builder = Buildah(
        storage=storage,
        options=("--isolation=chroot", "--pull-never", *_lent(directory)),
        # The caches that the Dockerfile mounts lie there.
        environment={**os.environ, "TMPDIR": str(kept)},
    )
    try:
        container = builder.run("from", "scratch").strip()
        builder.run("add", container, str(archive), "/")
        builder.run("commit", "--quiet", "--rm", container, BASE)
        yield Workshop(builder)
    finally:
        builder.run("rm", "--all")
        builder.run("rmi", "--all", "--force")


@dataclass(frozen=True)
class Image:
    """A built image."""

    builder: Buildah
    identifier: str

    @property
    def configuration(self) -> dict[str, Any]:
        """Its configuration, https://github.com/moby/docker-image-spec; User, Env, Cmd, Labels, Healthcheck."""
        return json.loads(self.builder.run("inspect", "--type", "image", self.identifier))["Docker"]["config"]

    @contextmanager
    def mounted(self) -> Generator["Container"]:
        """A container of it, for as long as the context lasts."""
        name = self.builder.run("from", "--pull-never", self.identifier).strip()
        try:
            yield Container(Path(self.builder.run("mount", name).strip()), self.configuration)
        finally:
            self.builder.run("umount", name)
            self.builder.run("rm", name)


# Of its own, so that the mounts end with the process; only /tmp can be written, as in a pod with an emptyDir there.
START = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
chmod 1777 "$1/tmp"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
cp -r "$2/." "$1/tmp/"
chmod -R a+rX "$1/tmp"
root=$1 user=$3
shift 3
exec chroot --userspec="$user" --groups= "$root" "$@"
"""


@dataclass(frozen=True)
class Container:
    """A mounted root and how to start programs in it as the image says."""

    root: Path
    configuration: Mapping[str, Any]

    def command(self, files: Path, variables: Mapping[str, str], program: Sequence[str] = ()) -> list[str]:
        """The command line that starts `program` (the image's own by default), with `files` copied to its /tmp."""
        environment = [*self.configuration["Env"], *(f"{name}={value}" for name, value in variables.items())]
        inside = ["env", "--ignore-environment", f"--chdir={self.configuration['WorkingDir']}", *environment]
        outside = ["unshare", "--mount", "sh", "-c", START, "start", str(self.root), str(files)]
        return [*outside, self.configuration["User"], *inside, *(program or self.configuration["Cmd"])]

    def run(
        self, files: Path, variables: Mapping[str, str], program: Sequence[str], seconds: float
    ) -> "subprocess.CompletedProcess[str]":
        """What came of `program`, started as `command` says, which may take so many seconds."""
        command = self.command(files, variables, program)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)


def _driver() -> str:
    # Where the kernel has it, nothing is copied that is not changed.
    return "overlay" if "\toverlay\n" in Path("/proc/filesystems").read_text(encoding="utf-8") else "vfs"


def _lent(directory: Path) -> list[str]:
    """The machine's certificates and its package index, mounted where a build reads them and never part of an image."""
    lent = {CERTIFICATES: CERTIFICATES}
    index = _package_index()
    if index is not None:
        pip, uv = directory / "pip.conf", directory / "uv.toml"
        pip.write_text(f"[global]\nindex-url = {index}\n", encoding="utf-8")
        uv.write_text(f'[[index]]\nurl = "{index}"\ndefault = true\n', encoding="utf-8")
        lent |= {pip: Path("/etc/pip.conf"), uv: Path("/etc/uv/uv.toml")}
    return [f"--volume={here}:{there}:ro" for here, there in lent.items()]


def _package_index() -> str | None:
    """The index that this machine's pip is set to; None where that is the public one."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(["/etc/pip.conf", Path.home() / ".pip" / "pip.conf", Path.home() / ".config" / "pip" / "pip.conf"])
    return settings.get("global", "index-url", fallback=None)


def _run(command: list[str]) -> None:
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
