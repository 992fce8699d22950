"""What a run of the benches was asked for, and where it works."""

from dataclasses import dataclass
from pathlib import Path

from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment

BENCH_DIRECTORY = REPOSITORY / ".bench"


class NotMeasurable(Exception):
    """Something that a bench needs is not there; says what, and how to get it."""


class MeasurementFailed(Exception):
    """What a bench runs broke down; says what, and where its output is."""


@dataclass(frozen=True)
class Options:
    """`quick` takes small slices. `corpus` is a directory of HTML pages, `pubmedqa` a JSON file; None: the default."""

    quick: bool
    corpus: Path | None = None
    pubmedqa: Path | None = None


def local_environment(name: str) -> Environment:
    """The local environment with its data in a directory `name` of the benches.

    Raises:
        InvalidEnvironment: the variable file cannot be used.
    """
    environment = load_environment(EnvironmentName.LOCAL)
    if environment.laptop is None:
        raise NotMeasurable("the local environment has no laptop section")
    laptop = environment.laptop.model_copy(update={"data_directory": str(BENCH_DIRECTORY / name)})
    return environment.model_copy(update={"laptop": laptop})
