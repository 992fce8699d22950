"""A laptop's agent service changes version again and again while people ask it: not one request may be lost."""

import json
import shutil
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import monotonic, perf_counter

from pydantic import TypeAdapter

from bench.ask import evidence_script
from bench.document import against, provenance_line, seconds, table
from bench.options import BENCH_DIRECTORY, NotMeasurable, Options
from bench.processes import in_new_process, running
from bench.record import Measured
from bench.refreshing import refresh
from tasks.agent_service.settings import agent_settings
from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import read_variable_file
from tasks.golden.dataset import read_golden_set
from tasks.platforms import Component
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local import LocalPlatform, laptop_of
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.ports import free_port
from tests.callers import CALLERS, Callers
from tests.local_environment import write_local_environment

DIRECTORY = BENCH_DIRECTORY / "switch"
HOST = "127.0.0.1"
SECONDS, QUICK_SECONDS = 120, 30


@dataclass(frozen=True)
class Switches:
    """How long each change took, in seconds, and what came of the requests meanwhile: kinds of answers, or faults.

    `late` requests got no answer because the model was too slow, which here answers at once.
    """

    callers: int
    changes: tuple[float, ...]
    outcomes: dict[str, int]
    late: int

    @property
    def lost(self) -> int:
        """The requests that got no answer of the kind that all others got."""
        return self.late + sum(self.outcomes.values()) - max(self.outcomes.values(), default=0)


RECORD = TypeAdapter(Measured[Switches])


def measure(options: Options) -> Switches:
    """Change between two versions for two minutes while the first labelled question is asked.

    Raises:
        NotMeasurable: no labelled question has an answer.
    """
    if DIRECTORY.exists():
        shutil.rmtree(DIRECTORY)
    environment = read_variable_file(
        write_local_environment(DIRECTORY / "environments", DIRECTORY / "state") / "local.tfvars"
    )
    in_new_process(refresh, environment, environment.knowledge.sources)
    with _gateway(environment) as (gateway, question), _platform(environment) as platform:
        versions = [_version(environment, gateway, tokens) for tokens in (200, 250)]
        platform.deploy(versions[0])
        platform.wait_until_ready(AGENTS)
        with Callers(platform.address(AGENTS), question) as callers:
            changes = _change(platform, versions, QUICK_SECONDS if options.quick else SECONDS)
    return Switches(CALLERS, tuple(changes), dict(callers.outcomes), callers.late)


def _change(platform: LocalPlatform, versions: list[Component], duration: float) -> list[float]:
    changes: list[float] = []
    end = monotonic() + duration
    while monotonic() < end:
        began = perf_counter()
        platform.deploy(versions[(len(changes) + 1) % 2])
        platform.wait_until_ready(AGENTS)
        changes.append(perf_counter() - began)
    return changes


@contextmanager
def _platform(environment: Environment) -> Generator[LocalPlatform]:
    platform = LocalPlatform(laptop_of(environment))
    try:
        yield platform
    finally:
        platform.stop()


@contextmanager
def _gateway(environment: Environment) -> Generator[tuple[str, str]]:
    """A simulated gateway's address, and a question that its model answers from the documentation."""
    labelled = [one for one in read_golden_set(REPOSITORY / environment.evaluation.dataset) if one.evidence][:1]
    if not labelled:
        raise NotMeasurable(f"no question of {environment.evaluation.dataset!r} has an answer")
    script = DIRECTORY / "script.json"
    script.write_text(json.dumps(asdict(evidence_script(environment, labelled))), encoding="utf-8")
    port = free_port(HOST)
    arguments = ("bench.simulated_gateway", "--port", str(port), "--script", str(script))
    with running(arguments, {}, f"http://{HOST}:{port}/openapi.json", DIRECTORY / "gateway.log"):
        yield f"http://{HOST}:{port}/v1", labelled[0].question


def _version(environment: Environment, gateway: str, answer_tokens: int) -> Component:
    """The service, told apart from others by a limit of its."""
    components = LocalComponents.of(environment)
    wanted = agent_settings(environment, HOST, components.ports[AGENTS], gateway)
    limits = wanted.limits.model_copy(update={"answer_tokens": answer_tokens})
    settings = wanted.model_copy(update={"limits": limits})
    return components.agents(DIRECTORY / "agents.json", settings.model_dump_json())


def tables(record: Measured[Switches]) -> str:
    """The section of the document."""
    found = record.result
    answered = ", ".join(f"{count:,} {kind}" for kind, count in Counter(found.outcomes).most_common())
    rows = [
        ("changes of version", f"{len(found.changes)}, {seconds(median(found.changes))} each at the median"),
        (f"requests of {found.callers} callers meanwhile, half of them streamed", answered),
        ("requests without an answer", against(f"**{found.lost}**", "none", not found.lost)),
    ]
    return "\n\n".join([provenance_line(record), table(("what", "figure"), rows)])
