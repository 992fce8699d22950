"""The real actionlint, built from its Go module once for each version."""

from pathlib import Path

from rehearsal.cluster.builds import built, why_not_built
from rehearsal.cluster.programs import Source

ACTIONLINT = Source(
    name="actionlint",
    directory=Path(__file__).with_name("program"),
    module="github.com/rhysd/actionlint",
    packages={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    stamps={"github.com/rhysd/actionlint.version": "{version}"},
)


def actionlint() -> Path:
    """The program. Raises `CannotBuild` where it is not there and Go is missing."""
    return built(ACTIONLINT).programs["actionlint"]


def why_no_actionlint() -> str | None:
    """What this machine lacks to have it; None when it is there or can be built."""
    return why_not_built(ACTIONLINT)
