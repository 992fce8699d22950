"""Terraform for the tests, with the AWS provider from a mirror on this machine when there is one."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tasks.environment import REPOSITORY

INFRA = REPOSITORY / "infra"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
# A mirror lies below one of these, at most so many directories deep.
SEARCHED = ("/opt", "/usr", "/srv", "/var/lib", str(Path.home()))
DEEPEST = 4
WITHIN_SECONDS = 600


def copy_of(source: Path, directory: Path) -> Path:
    """A copy with files in the place of links, and without what Terraform left there."""
    return shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns(".terraform*"))


def copy_of_infra(directory: Path) -> Path:
    """A copy of the Terraform root that keeps its state in a file, so that the checkout stays clean."""
    copy = copy_of(INFRA, directory)
    (copy / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    return copy


def run_terraform(root: Path, command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run one command in `root` and return what it prints.

    Raises:
        AssertionError: it fails; with all of its output.
    """
    done = subprocess.run(
        ["terraform", f"-chdir={root}", command, "-no-color", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=WITHIN_SECONDS,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cli_configuration(directory: Path) -> dict[str, str]:
    """The environment that makes Terraform take the provider from the mirror; a file is written below `directory`.

    Empty where the machine has a configuration of its own, or no mirror: Terraform then knows, or downloads.
    """
    own = Path(os.environ.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    mirror = provider_mirror()
    if own.is_file() or mirror is None:
        return {}
    file = directory / "terraform.rc"
    file.write_text(
        f"provider_installation {{\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["{PROVIDER}"]\n  }}\n'
        f'  direct {{\n    exclude = ["{PROVIDER}"]\n  }}\n'
        f"}}\n",
        encoding="utf-8",
    )
    return {"TF_CLI_CONFIG_FILE": str(file)}


@functools.cache
def provider_mirror() -> Path | None:
    """The first directory that holds the AWS provider as `registry.terraform.io/hashicorp/aws/<version>/`."""
    return next((found for root in SEARCHED for found in _mirrors(Path(root))), None)


def _mirrors(root: Path) -> Iterator[Path]:
    for directory, names, _ in os.walk(root):
        here = Path(directory)
        if (here / PROVIDER).is_dir():
            yield here
        if len(here.relative_to(root).parts) >= DEEPEST:
            names.clear()
