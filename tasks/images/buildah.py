"""buildah as a program: builds one target of the Dockerfile and pushes it, without a daemon."""

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.environment import REPOSITORY
from tasks.environment.data import ImageName

DOCKERFILE = REPOSITORY / "infra" / "images" / "Dockerfile"
# The images of flows and Ray hold gigabytes.
DONE_WITHIN_SECONDS = 3600
LAST_WORDS = 3000


class BuilderFailed(Exception):
    """buildah is not there, or ended with an error; carries the last of what it said."""


@dataclass(frozen=True)
class BuildRequest:
    """One image: `context` is a checkout of `commit`, `source` the address of the repository, for its labels.

    `base` stands in for the Dockerfile's own base image.
    """

    image: ImageName
    context: Path
    commit: str
    source: str
    base: str | None = None


@dataclass(frozen=True)
class Buildah:
    """The builder: `storage` are options of every command, `options` those of a build; it may have its own environment.

    By default it builds for the architecture of the machine that it runs on, and for no other.
    """

    storage: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None

    def build(self, request: BuildRequest) -> str:
        """Build an image and return its identifier in the builder's storage.

        Raises:
            BuilderFailed: as for `run`.
        """
        arguments = {"COMMIT": request.commit, "SOURCE": request.source}
        if request.base is not None:
            arguments["BASE"] = request.base
        with tempfile.TemporaryDirectory() as scratch:
            identifier = Path(scratch) / "identifier"
            self.run(
                "build",
                # The other format has no health check, and ECR takes both.
                "--format=docker",
                f"--file={DOCKERFILE}",
                f"--target={request.image}",
                *(f"--build-arg={name}={value}" for name, value in arguments.items()),
                f"--iidfile={identifier}",
                *self.options,
                str(request.context),
            )
            return identifier.read_text(encoding="utf-8").strip()

    def push(self, identifier: str, reference: str, credentials: str, options: Sequence[str] = ()) -> str:
        """Push an image to `reference` (`<registry>/<repository>:<tag>`) and return its digest there.

        `credentials` are `<user>:<password>`; they go through a file that nobody else can read.

        Raises:
            BuilderFailed: as for `run`.
        """
        registry = reference.partition("/")[0]
        sign_in = {"auths": {registry: {"auth": base64.b64encode(credentials.encode()).decode()}}}
        with tempfile.TemporaryDirectory() as scratch:
            sign_in_file, digest = Path(scratch) / "auth.json", Path(scratch) / "digest"
            sign_in_file.write_text(json.dumps(sign_in), encoding="utf-8")
            places = (f"--authfile={sign_in_file}", f"--digestfile={digest}")
            self.run("push", *places, *options, identifier, f"docker://{reference}")
            return digest.read_text(encoding="utf-8").strip()

    def run(self, command: str, *arguments: str) -> str:
        """Run one command of buildah and return what it printed.

        Raises:
            BuilderFailed: it is not on PATH, or ended with an error.
        """
        program = shutil.which("buildah")
        if program is None:
            raise BuilderFailed("buildah is not on PATH: install the package buildah")
        outcome = subprocess.run(
            [program, *self.storage, command, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=DONE_WITHIN_SECONDS,
        )
        if outcome.returncode != 0:
            said = (outcome.stdout + outcome.stderr).strip()
            raise BuilderFailed(f"buildah {command} ended with {outcome.returncode}: {said[-LAST_WORDS:]}")
        return outcome.stdout
