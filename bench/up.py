"""How long `make up` takes on a machine that has the environment installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx
from pydantic import TypeAdapter

from bench.ask import Asked, ask
from bench.document import against, provenance_line, seconds, table
from bench.options import BENCH_DIRECTORY, MeasurementFailed, Options
from bench.record import Measured
from tasks.environment import REPOSITORY
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.golden.dataset import read_golden_set, spread
from tasks.laptop.data_directory import lifecycle_summary_file
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local import LocalPlatform, laptop_of
from tasks.runs.lifecycle_summary import StageResult, read_summary
from tests.local_environment import write_local_environment

DIRECTORY = BENCH_DIRECTORY / "up"
PREFECT_TOML = REPOSITORY / "prefect.toml"
COLD_SECONDS, WARM_SECONDS = 180, 60
REAL_QUESTIONS = 10


@dataclass(frozen=True)
class Started:
    """One `make up`: what was there before, how long it took in all, and the stages of the lifecycle in seconds."""

    before: str
    wanted: int
    seconds: float
    stages: dict[str, float]


@dataclass(frozen=True)
class UpTime:
    """Three starts in a row, and real answers of the platform that they brought up."""

    starts: tuple[Started, ...]
    answers: tuple[Asked, ...]


RECORD = TypeAdapter(Measured[UpTime])


def measure(options: Options) -> UpTime:
    """Start from nothing, from what `make down` left, and with all up; then ask, and stop everything."""
    variables = _new_environment()
    with _prefect_toml_kept():
        try:
            cold = _up(variables, "stopped, no data", COLD_SECONDS)
            _console(variables, "down")
            stopped = _up(variables, "stopped, with its data", COLD_SECONDS)
            warm = _up(variables, "all up", WARM_SECONDS)
            answers = _real_answers(2 if options.quick else REAL_QUESTIONS)
        finally:
            _console(variables, "down")
    return UpTime((cold, stopped, warm), answers)


def _new_environment() -> dict[str, str]:
    """The process environment of a local platform of the bench's own, of which nothing is left."""
    variables = {**os.environ, DIRECTORY_VARIABLE: str(DIRECTORY / "environments")}
    # It would put another corpus in the place of the documentation.
    variables.pop("KNOWLEDGE", None)
    if (DIRECTORY / "environments").exists():
        _console(variables, "down")
        shutil.rmtree(DIRECTORY)
    write_local_environment(DIRECTORY / "environments", DIRECTORY / "state")
    return variables


@contextmanager
def _prefect_toml_kept() -> Generator[None]:
    """Undo what `up` writes beside the code: it points the prefect command at the bench's server."""
    before = PREFECT_TOML.read_bytes() if PREFECT_TOML.exists() else None
    try:
        yield
    finally:
        if before is None:
            PREFECT_TOML.unlink(missing_ok=True)
        else:
            PREFECT_TOML.write_bytes(before)


def _up(variables: Mapping[str, str], before: str, wanted: int) -> Started:
    began = perf_counter()
    _console(variables, "up")
    duration = perf_counter() - began
    print(f"up ({before}): {seconds(duration)}", flush=True)
    environment = read_variable_file(DIRECTORY / "environments" / "local.tfvars")
    stages: Sequence[StageResult] = read_summary(lifecycle_summary_file(environment)).stages
    return Started(before, wanted, duration, {stage.name: stage.seconds for stage in stages})


def _console(variables: Mapping[str, str], command: str) -> None:
    log = DIRECTORY / "console.log"
    with log.open("ab") as output:
        code = subprocess.run(
            [sys.executable, "-m", "console", command],
            cwd=REPOSITORY,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code != 0:
        raise MeasurementFailed(
            f"`python -m console {command}` ended with exit code {code}; its output is in {str(log)!r}"
        )


def _real_answers(wanted: int) -> tuple[Asked, ...]:
    environment = read_variable_file(DIRECTORY / "environments" / "local.tfvars")
    questions = spread(read_golden_set(REPOSITORY / environment.evaluation.dataset), wanted)
    address = LocalPlatform(laptop_of(environment)).address(AGENTS)
    with httpx.Client(trust_env=False) as client:
        return tuple(ask(client, address, question.question) for question in questions)


def tables(record: Measured[UpTime]) -> str:
    """The section of the document."""
    starts = record.result.starts
    names = list(dict.fromkeys(stage for start in starts for stage in start.stages))
    rows = [
        (
            start.before,
            against(f"**{seconds(start.seconds)}**", f"under {start.wanted} s", start.seconds < start.wanted),
            *(seconds(start.stages.get(name, 0.0)) for name in names),
        )
        for start in starts
    ]
    header = ("before `make up`", "in all", *names)
    return "\n\n".join([provenance_line(record), table(header, rows), _answers_line(record.result.answers)])


def _answers_line(answers: Sequence[Asked]) -> str:
    parts = ", ".join(
        f"{stage} {median(answer.timings_ms.get(stage, 0.0) for answer in answers):,.0f} ms"
        for stage in ("embed", "search", "model")
    )
    return (
        f"{len(answers)} real answers of that platform, one after the other: "
        f"{seconds(median(answer.wall_ms for answer in answers) / 1000)} at the median ({parts}), "
        f"of which {median(answer.added_ms for answer in answers):.1f} ms are neither model, gateway nor search."
    )
