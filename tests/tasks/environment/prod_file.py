"""The variable file of production, and what is said of it once it is changed."""

from pathlib import Path

from tasks.environment import REPOSITORY
from tests.tasks.environment.laptop_file import refusal

PROD = (REPOSITORY / "infra" / "environments" / "prod.tfvars").read_text(encoding="utf-8")


def refusal_of_prod(directory: Path, text: str) -> str:
    """The error that reading `text` as production's file raises."""
    path = directory / "prod.tfvars"
    path.write_text(text, encoding="utf-8")
    return refusal(path)


def require_prod_refused(directory: Path, old: str, new: str, fragments: list[str]) -> str:
    """The file with `new` in the place of `old` is refused in words that say all `fragments`; returns them."""
    assert old in PROD
    message = refusal_of_prod(directory, PROD.replace(old, new, 1))
    for fragment in fragments:
        assert fragment in message
    return message
