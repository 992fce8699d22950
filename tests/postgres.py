"""A real PostgreSQL server for the tests: a cluster of its own in a temporary directory, on a free loopback port."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import stamina
from psycopg import sql

from tests.ports import free_port

USER = "agents"
PASSWORD = "a password of tests"
# The server refuses to run as root; this user exists on every Linux.
UNPRIVILEGED = "nobody"
READY_WITHIN_SECONDS = 300


@dataclass(frozen=True)
class PostgresServer:
    """Where the server listens; `password_file` holds the password of `USER`, who owns everything."""

    port: int
    password_file: Path

    def make_database(self) -> str:
        """A new, empty database; returns its name."""
        name = f"state_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def dump(self, database: str) -> bytes:
        """All of a database as SQL, by pg_dump."""
        return self._client("pg_dump", "--no-owner", database, given=b"")

    def restore(self, dumped: bytes) -> str:
        """A new database with what `dump` gave; returns its name."""
        name = self.make_database()
        self._client("psql", "--quiet", "--set=ON_ERROR_STOP=1", name, given=dumped)
        return name

    def _client(self, program: str, *arguments: str, given: bytes) -> bytes:
        programs = _programs()
        assert programs is not None, why_postgres_cannot_run()
        address = ("--host=127.0.0.1", f"--port={self.port}", f"--username={USER}")
        environment = {**os.environ, "PGPASSFILE": "/dev/null", "PGPASSWORD": PASSWORD}
        command = [programs / program, *address, *arguments]
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, check=False, timeout=READY_WITHIN_SECONDS
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def why_postgres_cannot_run() -> str | None:
    """What this machine lacks for a server of its own; None when nothing."""
    return None if _programs() else "there is no initdb on PATH or below /usr/lib/postgresql"


@contextmanager
def running_postgres() -> Generator[PostgresServer]:
    """Run a server with empty data; leaves nothing behind."""
    programs = _programs()
    assert programs is not None, why_postgres_cannot_run()
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    directory.chmod(0o755)
    try:
        password_file = directory / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        data = directory / "data"
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, user=UNPRIVILEGED)
        _run(
            directory,
            programs / "initdb",
            *("-D", data, "-U", USER, "--auth", "scram-sha-256", "--pwfile", password_file),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        )
        port = free_port()
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *(f"-c{name}={value}" for name, value in options.items())],
                cwd=directory,
                user=UNPRIVILEGED if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(port)
            yield PostgresServer(port, password_file)
        finally:
            server.terminate()
            server.wait(timeout=180)
    finally:
        shutil.rmtree(directory)


def _programs() -> Path | None:
    on_path = shutil.which("initdb")
    # Debian keeps them away from PATH; a link to one of them there says where the others are.
    found = [Path(on_path).resolve()] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return next((path.parent for path in found if (path.parent / "postgres").exists()), None)


def _run(directory: Path, *command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=directory,
        user=UNPRIVILEGED if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_WITHIN_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _wait(port: int) -> None:
    for attempt in stamina.retry_context(
        on=psycopg.OperationalError, timeout=READY_WITHIN_SECONDS, attempts=None, wait_max=0.2
    ):
        with attempt:
            psycopg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname="postgres").close()
