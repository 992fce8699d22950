"""A real OpenSearch server with the k-NN plugin, for the tests: fetched by Maven, started, and removed again."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.programs import wait_until_healthy
from tasks.cache_directory import cache_directory
from tests.ports import free_port

ARTIFACTS = (
    "org.opensearch.distribution.integ-test-zip:opensearch:3.5.0:zip",
    "org.opensearch.plugin:opensearch-knn:3.5.0.0:zip",
)
LEAST_JAVA = 21
HEAP = "768m"
# Its first compiler alone: half of the processor time of a start, for a server that lives as long as some tests.
SHORT_LIVED = "-XX:TieredStopAtLevel=1"
READY_WITHIN_SECONDS = 480
FETCHED_WITHIN_SECONDS = 900
# The server refuses to run as root; this user exists on every Linux.
UNPRIVILEGED = "nobody"
# Below the server's own directory: the only place in which it may keep snapshots.
SNAPSHOTS = "snapshots"


def why_opensearch_cannot_run() -> str | None:
    """What this machine lacks for a server of its own; None when nothing."""
    if java_home() is None:
        return f"no Java {LEAST_JAVA} or newer in OPENSEARCH_JAVA_HOME, JAVA_HOME, on PATH or among the system's JVMs"
    if shutil.which("mvn") is None and not all(path.exists() for path in _archives()):
        return "mvn is not on PATH, and the server was not fetched before"
    return None


@functools.cache
def java_home() -> Path | None:
    """The first Java that is new enough."""
    return next((home for home in _java_homes() if _java_version(home) >= LEAST_JAVA), None)


@contextmanager
def running_opensearch(java_options: str = "") -> Generator[str]:
    """Run a server with empty data on a free loopback port; yields its address, and leaves nothing behind.

    Raises:
        RuntimeError: it cannot be fetched; with the end of Maven's output.
        ProgramFailed: it is not ready in time; with the end of its log.
    """
    directory = Path(tempfile.mkdtemp(prefix="opensearch-"))
    try:
        home = _unpack(directory)
        log = directory / "server.log"
        address = f"http://127.0.0.1:{free_port()}"
        with log.open("wb") as output:
            server = _start(home, address, java_options, output)
        try:
            wait_until_healthy(server, "OpenSearch", f"{address}/_cluster/health", log, READY_WITHIN_SECONDS)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=90)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(timeout=90)
    finally:
        shutil.rmtree(directory)


def _java_homes() -> Iterator[Path]:
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob("*"))
    yield from sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home"))


def _java_version(home: Path) -> int:
    java = home / "bin" / "java"
    if not java.exists():
        return 0
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)
    version = re.search(r'version "(\d+)', answer.stderr)
    return int(version[1]) if version else 0


def _archives() -> list[Path]:
    cache = cache_directory("opensearch")
    return [cache / "{1}-{2}.{3}".format(*artifact.split(":")) for artifact in ARTIFACTS]


def _fetch(artifact: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as directory:
        command = ["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={directory}"]
        fetched = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, check=False, timeout=FETCHED_WITHIN_SECONDS
        )
        if fetched.returncode:
            raise RuntimeError(f"Maven could not fetch {artifact!r}:\n{fetched.stdout[-2000:]}{fetched.stderr[-2000:]}")
        (Path(directory) / archive.name).replace(archive)


def _unpack(directory: Path) -> Path:
    for artifact, archive in zip(ARTIFACTS, _archives(), strict=True):
        if not archive.exists():
            _fetch(artifact, archive)
    distribution, plugin = _archives()
    with zipfile.ZipFile(distribution) as archive:
        archive.extractall(directory)
    (home,) = directory.iterdir()
    with zipfile.ZipFile(plugin) as archive:
        archive.extractall(home / "plugins" / "opensearch-knn")
    for program in (home / "bin").iterdir():
        program.chmod(0o755)
    if os.geteuid() == 0:
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, user=UNPRIVILEGED)
    return home


def _start(home: Path, address: str, java_options: str, output: Any) -> "subprocess.Popen[bytes]":
    settings = {
        "http.port": address.rpartition(":")[2],
        "transport.port": "0",
        "network.host": "127.0.0.1",
        "discovery.type": "single-node",
        "path.repo": str(home / SNAPSHOTS),
        # A full disk of the machine that tests is no concern of the tests.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "OPENSEARCH_JAVA_HOME": str(java_home()),
        "OPENSEARCH_JAVA_OPTS": f"-Xms{HEAP} -Xmx{HEAP} {java_options}",
        "OPENSEARCH_TMPDIR": str(home / "logs"),
    }
    return subprocess.Popen(
        [home / "bin" / "opensearch", *(f"-E{name}={value}" for name, value in settings.items())],
        cwd=home,
        env=environment,
        user=UNPRIVILEGED if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
