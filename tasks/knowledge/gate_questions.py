"""The labelled questions that a new generation of an environment's knowledge base is asked before it serves."""

from tasks.environment import REPOSITORY, Environment
from tasks.golden.dataset import GoldenQuestion, read_golden_set
from tasks.refresh.inputs import asked_by_the_gate


def gate_questions(settings: Environment) -> tuple[GoldenQuestion, ...]:
    """As many questions of the environment's golden set as its gate asks.

    Raises:
        InvalidGoldenSet: the file of questions is missing or wrong.
    """
    return asked_by_the_gate(read_golden_set(REPOSITORY / settings.evaluation.dataset), settings.knowledge.gate)
