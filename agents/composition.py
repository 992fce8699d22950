"""An answer as it comes about: sentences, and the citations that they refer to."""

from dataclasses import dataclass, field

from agents.evaluation.grounding import Quote
from agents.events import Answer, Citation, CitationMade, Event, Kind, ReleasedSentence, SentenceReleased
from agents.freshness import Freshness
from agents.guards.inert_text import inert
from agents.states import State
from agents.web_passages import is_of_the_web


@dataclass
class Composition:
    """Collects what is released to the caller; the same quote is cited under the same number."""

    generation: str = ""
    freshness: Freshness | None = None
    relevancy: float = 0.0
    corrections: int = 0
    kind: Kind = "answered"
    model: str | None = None
    sentences: list[ReleasedSentence] = field(default_factory=list[ReleasedSentence])
    citations: list[Citation] = field(default_factory=list[Citation])
    route: list[State] = field(default_factory=list[State])
    notes: list[str] = field(default_factory=list[str])
    timings_ms: dict[str, float] = field(default_factory=dict[str, float])

    def release(self, text: str, separator: str, quote: Quote, groundedness: float) -> list[Event]:
        """Add a sentence, made inert; returns its events, the citation first when it is new."""
        citation, is_new = self._cite(quote)
        sentence = ReleasedSentence(inert(text), separator if self.sentences else "", citation.number, groundedness)
        self.sentences.append(sentence)
        return [*([CitationMade(citation)] if is_new else []), SentenceReleased(sentence)]

    def spend(self, stage: str, milliseconds: float) -> None:
        """Count time for a stage."""
        self.timings_ms[stage] = round(self.timings_ms.get(stage, 0.0) + milliseconds, 3)

    def answer(self, trace_id: str, otherwise: str) -> Answer:
        """What the caller gets; `otherwise` is the text of an answer without sentences."""
        scores = [sentence.groundedness for sentence in self.sentences]
        return Answer(
            kind=self.kind,
            answer=cited_text(self.sentences) if self.sentences else otherwise,
            sentences=tuple(self.sentences),
            citations=tuple(self.citations),
            relevancy=round(self.relevancy, 4),
            groundedness=round(sum(scores) / len(scores), 4) if scores else None,
            route=tuple(dict.fromkeys(self.route)),
            generation=self.generation,
            freshness=self.freshness,
            corrections=self.corrections,
            notes=tuple(self.notes),
            trace_id=trace_id,
            timings_ms=dict(self.timings_ms),
            model=self.model,
        )

    def _cite(self, quote: Quote) -> tuple[Citation, bool]:
        chunk = quote.passage.chunk
        for known in self.citations:
            place = (chunk.document_uri, quote.document_start, quote.document_end)
            if (known.document_uri, known.start, known.end) == place:
                return known, False
        citation = Citation(
            number=len(self.citations) + 1,
            origin="web" if is_of_the_web(quote.passage) else "knowledge",
            document_uri=chunk.document_uri,
            source=chunk.source,
            title=chunk.title,
            path=chunk.path,
            heading_path=chunk.heading_path,
            chunk_id=chunk.chunk_id,
            quote=quote.text,
            start=quote.document_start,
            end=quote.document_end,
            generation=quote.passage.generation,
        )
        self.citations.append(citation)
        return citation, True


def cited_text(sentences: list[ReleasedSentence]) -> str:
    """The sentences as one text, each followed by the number of its citation in brackets."""
    return "".join(f"{sentence.separator}{sentence.text} [{sentence.citation}]" for sentence in sentences)
