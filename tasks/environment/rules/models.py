"""Models hold what they are given, have a place to run, and a judge where one is asked for."""

from typing import TYPE_CHECKING

from tasks.environment.placement import require_places

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_judge(environment: "Environment") -> None:
    """A metric that a model judges needs that model. Raises `ValueError`."""
    if environment.models.judge is None and (judged := environment.evaluation.judged_metrics):
        raise ValueError(
            f"evaluation.metrics has {', '.join(judged)}, which a model judges: name it in models.judge, or leave "
            "them out"
        )


def require_capacity(environment: "Environment") -> None:
    """The pools can hold every model that runs on nodes. Raises `ValueError`."""
    if environment.capacity is not None:
        require_places(environment.models, environment.capacity)


def require_context(environment: "Environment") -> None:
    """Chunks fit the embedding model, and answers the model that writes them. Raises `ValueError`."""
    embedding = environment.models.catalogue[environment.models.embedding]
    if environment.knowledge.chunks.tokens > embedding.context_tokens:
        raise ValueError(
            f"knowledge.chunks.tokens = {environment.knowledge.chunks.tokens} is more than the embedding model "
            f"{environment.models.embedding!r} reads: its context_tokens is {embedding.context_tokens}"
        )
    writer = environment.models.catalogue[environment.models.reasoning]
    if environment.agents.answer_tokens >= writer.context_tokens:
        raise ValueError(
            f"agents.answer_tokens = {environment.agents.answer_tokens} leaves no room for the question: the reasoning "
            f"model {environment.models.reasoning!r} has context_tokens = {writer.context_tokens}"
        )
