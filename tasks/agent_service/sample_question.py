"""A question that the knowledge base of an environment can be expected to answer."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.store import KnowledgeStore
from tasks.environment import REPOSITORY, Environment
from tasks.golden.dataset import read_golden_set
from tasks.store_settings import knowledge_store


class NothingToAsk(Exception):
    """No generation serves, or the one that does holds no text."""


@task(task_run_name="choose-sample-question", cache_policy=NO_CACHE)
def sample_question(settings: Environment) -> str:
    """The first labelled question whose document is served; for other documents, one about a heading of theirs.

    Raises:
        NothingToAsk: the knowledge base is empty; refresh it first.
    """
    with knowledge_store(settings) as store:
        return _answerable(store, REPOSITORY / settings.evaluation.dataset)


def _answerable(store: KnowledgeStore, golden_set: Path) -> str:
    serving = store.serving()
    if serving is None:
        raise NothingToAsk("no generation of the knowledge base serves; run the stage 'knowledge' first")
    served = {record.path for record in serving.documents.values()}
    for labelled in read_golden_set(golden_set):
        if labelled.evidence and all(evidence.document in served for evidence in labelled.evidence):
            return labelled.question
    chunk = next(store.chunks(serving.generation), None)
    if chunk is None:
        raise NothingToAsk(f"generation {serving.generation!r} holds no text")
    return f"What does {chunk.title!r} say about {chunk.heading_path[-1]!r}?" if chunk.heading_path else chunk.title
