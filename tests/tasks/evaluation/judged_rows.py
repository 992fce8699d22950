"""Questions about a port, the passage that answers them, and rows as an evaluation makes them for its judge."""

from tasks.agent_service.http_api import FoundChunk, FoundPassage, SearchAnswer
from tasks.evaluation.report import AnswerRow, QuestionRow
from tasks.golden.dataset import Evidence, GoldenQuestion

FACT = "The port of the service is 8080."
FOUND = SearchAnswer(generation="g1", relevancy=1, passages=(FoundPassage(chunk=FoundChunk(path="a.md", text=FACT)),))


def about_ports(number: int) -> GoldenQuestion:
    return GoldenQuestion(
        id=f"a{number}",
        kind="answerable",
        question=f"Which port is it, number {number}?",
        reference=FACT,
        evidence=(Evidence(document="a.md", quote=FACT),),
    )


def answered(question: GoldenQuestion, said: str, rank: int = 1) -> QuestionRow:
    """A row whose evidence was found at `rank`, where the question has any, and that was answered by `said`."""
    return QuestionRow(
        id=question.id,
        kind=question.kind,
        question=question.question,
        relevancy=1,
        abstained=not question.answerable,
        ranks=(rank,) if question.answerable else (),
        context_precision=None,
        context_recall=None,
        answer=AnswerRow(kind="answered", text=said, groundedness=1, similarity=None, rouge_l=None, seconds=1),
    )
