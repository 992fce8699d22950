"""Terraform's AWS provider from a mirror on this machine when there is one, so that nothing is downloaded."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

PROVIDER = Path("registry.terraform.io/hashicorp/aws")
# A mirror lies below one of these, at most so many directories deep.
SEARCHED = ("/opt", "/usr", "/srv", "/var/lib", str(Path.home()))
DEEPEST = 4


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
