"""A private copy of the Terraform root for one flow run.

Plan files hold secrets, an image may be read-only, and two runs must never share a working directory: so the
configuration is copied into a directory that only its owner can open, and that is removed at the end.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tasks.aws_session import client
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import variable_files_directory
from tasks.runs.log import run_log
from tasks.terraform.state_bucket import StateLocation, state_location

TERRAFORM = "terraform"
OLDEST_VERSION = (1, 11)
WHERE_TO_GET = "https://developer.hashicorp.com/terraform/install"
# What Terraform leaves when it could not write the state: the only record of what it made.
UNSAVED_STATE = "errored.tfstate"
LEFTOVER_SECONDS = 24 * 3600
DIRECTORY_PREFIX = "agentic-eks-terraform-"
_NOT_COPIED = (".terraform", "tests", "environments", "charts", "*.tfstate*", "*.tfplan")


class MissingTerraform(Exception):
    """There is no terraform that can be used; says which version is needed and where to get it."""


@dataclass(frozen=True)
class TerraformRoot:
    """The copied configuration of one environment, and where its state lies."""

    directory: Path
    environment: EnvironmentName
    variable_file: Path
    backend: StateLocation


@contextmanager
def open_root(settings: Environment) -> Generator[TerraformRoot]:
    """Copy the Terraform root and the environment's variable file into a private directory for the block.

    The directory is kept when Terraform could not write its state: it then holds the only record of what was made.

    Raises:
        MissingTerraform: there is no terraform on PATH, or it is too old.
        MissingCredentials: there are no AWS credentials at all.
    """
    require_terraform()
    client("sts", settings)
    _remove_leftovers()
    directory = Path(tempfile.mkdtemp(prefix=f"{DIRECTORY_PREFIX}{os.getpid()}-"))
    try:
        copy = directory / "infra"
        shutil.copytree(REPOSITORY / "infra", copy, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        variable_file = copy / f"{settings.name.value}.tfvars"
        shutil.copyfile(variable_files_directory() / variable_file.name, variable_file)
        yield TerraformRoot(copy, settings.name, variable_file, state_location(settings))
    finally:
        if (directory / "infra" / UNSAVED_STATE).exists():
            run_log().error(
                "Terraform could not write its state; the only record of what it made is %s: the next run on this "
                "machine saves it; from another machine, `terraform state push` it before anything else is applied",
                directory / "infra" / UNSAVED_STATE,
            )
        else:
            shutil.rmtree(directory)


def require_terraform() -> str:
    """The version of the terraform on PATH, such as `1.11.4`.

    Raises:
        MissingTerraform: there is none, or it is too old.
    """
    wanted = ".".join(map(str, OLDEST_VERSION))
    advice = f"install version {wanted} or newer from {WHERE_TO_GET} and put it on the worker's PATH"
    try:
        done = subprocess.run([TERRAFORM, "version", "-json"], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise MissingTerraform(f"there is no {TERRAFORM!r} on PATH: {advice}") from error
    except subprocess.CalledProcessError as error:
        raise MissingTerraform(f"`terraform version` fails ({(error.stderr or '').strip()}): {advice}") from error
    # A broken CLI configuration file is reported in front of the JSON.
    version = str(json.loads(done.stdout[done.stdout.index("{") :])["terraform_version"])
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_VERSION:
        raise MissingTerraform(f"terraform is version {version!r}, which is too old: {advice}")
    return version


def _remove_leftovers() -> None:
    """Directories of runs that were killed hold plans, and so secrets; nobody else removes them."""
    for left in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*"):
        owner = left.name.removeprefix(DIRECTORY_PREFIX).partition("-")[0]
        status = left.stat()
        ours = status.st_uid == os.getuid() and not (left / "infra" / UNSAVED_STATE).exists()
        # A terraform whose run was killed may still be at work there.
        old = time.time() - status.st_mtime > LEFTOVER_SECONDS
        if ours and old and owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left)
