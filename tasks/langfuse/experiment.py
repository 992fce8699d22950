"""Answers as an experiment of Langfuse, whose ids follow from its name: sent again, it takes the place of itself.

Importing this takes a second, which every start of a flow would pay: it is imported where something is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from langfuse import Langfuse
from langfuse.api import DatasetItem
from langfuse.experiment import ExperimentItem
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from pydantic import SecretStr

from tasks.langfuse.destination import LangfuseProject

SECONDS = 10


@dataclass(frozen=True)
class Experiment:
    """The id of an experiment, and by question id the trace of each answer and the observation in it."""

    id: str
    places: Mapping[str, tuple[str, str]]


class SeededIds(IdGenerator):
    """Ids that follow from a seed and from how many there were since."""

    def __init__(self) -> None:
        self._random = Random()  # noqa: S311 - for ids, not for secrets

    def restart(self, seed: str) -> None:
        """Begin anew with the ids of `seed`."""
        self._random.seed(seed)

    def generate_span_id(self) -> int:
        """See `IdGenerator`."""
        return self._random.randrange(1, 2**64)

    def generate_trace_id(self) -> int:
        """See `IdGenerator`."""
        return self._random.randrange(1, 2**128)


def send_experiment(
    project: LangfuseProject,
    key: SecretStr,
    name: str,
    run_name: str,
    items: Mapping[str, DatasetItem],
    answers: Mapping[str, str],
) -> Experiment:
    """Write `answers` as the run `run_name` of the experiment `name`; items of the dataset are by question id too.

    Source: https://langfuse.com/docs/evaluation/experiments/experiments-via-sdk
    """
    ids, provider = _tracing(project.public_key)
    # The client is not shut down: the process has one for a project, which a second run would find dead, and it has
    # sent all by then.
    langfuse = Langfuse(
        public_key=project.public_key,
        secret_key=key.get_secret_value(),
        base_url=project.host,
        timeout=SECONDS,
        tracer_provider=provider,
    )
    places: dict[str, tuple[str, str]] = {}

    def said(*, item: ExperimentItem, **_: object) -> str:
        assert isinstance(item, DatasetItem)  # noqa: S101 - it is given no others
        question = str(item.metadata["id"])
        trace, observation = langfuse.get_current_trace_id(), langfuse.get_current_observation_id()
        if trace is not None and observation is not None:
            places[question] = (trace, observation)
        return answers[question]

    ids.restart(f"{name} {run_name}")
    done = langfuse.run_experiment(
        name=name,
        run_name=run_name,
        # An item of the dataset, and not only its text, makes the experiment one of the dataset's.
        data=[items[question] for question in answers],
        task=said,
        # One after the other: at once, they would take each other's ids.
        max_concurrency=1,
    )
    return Experiment(done.experiment_id, places)


@cache
def _tracing(_: str) -> tuple[SeededIds, TracerProvider]:
    """One of each for a project: its client takes no second one, and what else is traced here does not go there."""
    ids = SeededIds()
    return ids, TracerProvider(id_generator=ids)
