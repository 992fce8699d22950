"""What terraform says when a command fails, as one error that says what to do."""

import re

from tasks.aws_session import HOW_TO_GET, REFUSED_CREDENTIALS, MissingCredentials
from tasks.terraform.lock import refuse_held
from tasks.terraform.root import TerraformRoot

_STALE = re.compile(r"Saved plan (is stale|does not match the given state)")
_LOCKED = re.compile(r"Error acquiring the state lock")
_CREDENTIALS = re.compile(rf"No valid credential sources|{'|'.join(sorted(REFUSED_CREDENTIALS))}")
# The codes differ by service: EntityAlreadyExists, RepositoryAlreadyExistsException, ResourceExistsException ...
_EXISTS = re.compile(r"AlreadyExists|AlreadyOwnedByYou|ResourceExists|QueueNameExists|DuplicateItem|already exists")
_ADDRESS = re.compile(r"\(([\w.\[\]\"/-]*aws_\w+\.[^)\s]+)\)")


class TerraformFailed(Exception):
    """A terraform command failed; says which, and what Terraform says."""


class StalePlan(TerraformFailed):
    """The state changed after the plan was made: it cannot be applied any more."""


class AlreadyExists(TerraformFailed):
    """AWS has what was to be made, and the state does not know of it; says what, and how to take it over."""


def failure(root: TerraformRoot, name: str, exit_code: int, complaints: list[str]) -> Exception:
    """The error for a command `name` that ended with `exit_code`; `complaints` are its errors, secrets masked.

    Raises:
        StateLocked: somebody else holds the state.
    """
    said = "\n".join(complaints)
    if _CREDENTIALS.search(said):
        return MissingCredentials(
            f"terraform {name}: AWS refuses the credentials; {HOW_TO_GET}. Then run it again: what was made until "
            f"then is kept. Terraform says:\n{said}"
        )
    if _LOCKED.search(said):
        refuse_held(root.backend)
    ended = f"terraform {name} of {root.environment.value!r} ended with {exit_code}"
    if _STALE.search(said):
        return StalePlan(f"{ended}:\n{said}")
    if existing := [text for text in complaints if _EXISTS.search(text)]:
        return AlreadyExists(f"{ended}. {_how_to_take_over(root, existing)} Terraform says:\n{said}")
    return TerraformFailed(f"{ended}:\n{said}")


def _how_to_take_over(root: TerraformRoot, existing: list[str]) -> str:
    """Which run made it nobody can tell: so a person looks, and takes over only what is the environment's own."""
    addresses = [found[1] for text in existing if (found := _ADDRESS.search(text))]
    backend = root.backend
    settings = {"bucket": backend.bucket, "key": backend.key, "region": backend.region}
    init = " ".join(f"-backend-config={name}={value}" for name, value in settings.items())
    file = f"environments/{root.environment.value}.tfvars"
    imports = "\n".join(f"  terraform -chdir=infra import -var-file={file} '{address}' <id>" for address in addresses)
    return (
        f"AWS already has {', '.join(addresses) or 'a resource'}, and the state does not know of it: a run was lost "
        "before it could save its state, or somebody else made it. Look at its tags. If it is not this environment's, "
        "or holds nothing, delete it; otherwise take it over, with the id that the AWS provider documents for its "
        f"type, and in both cases run provision again:\n  terraform -chdir=infra init -reconfigure {init}\n{imports}\n"
    )
