"""Where the thresholds of relevancy lie, and what choosing the route by them gives against always taking the same one.

Labelled are the golden questions, whose evidence is in the documentation or nowhere, and questions of PubMedQA, whose
abstracts stand in for the web: a search over them plays the search engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from agents.evaluation.evaluator import relevancy, web_relevancy
from agents.evaluation.relevance import Judgement, judgement_of
from agents.knowledge.search import Passage, hybrid_search
from agents.settings import Routing
from agents.web_passages import web_passages
from agents.web_search.client import WebResult
from bench.document import provenance_line, table
from bench.embedding import vectors
from bench.labelled import LabelledSet, documentation_set, pubmedqa_set
from bench.options import NotMeasurable, Options, local_environment
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import work_of
from tasks.environment import REPOSITORY
from tasks.evaluation.retrieval_metrics import holds_quote
from tasks.golden.dataset import read_golden_set
from tasks.refresh.inputs import fused_with
from tasks.store_settings import knowledge_store

ROUTES: tuple[str, ...] = ("always the knowledge base", "always the web", "three ways")
THRESHOLDS = (0.3, 0.35, 0.37, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)


@dataclass(frozen=True)
class Asked:
    """One question: where its evidence is, both relevancies (0..1), and where evidence was found."""

    evidence_in: str
    relevancy: float
    web_relevancy: float
    found_in_knowledge: bool
    found_on_web: bool

    def right(self, route: str, judgement: Judgement, threshold: float) -> bool:
        """Whether an answer by `route` rests on the evidence, or is refused when there is none."""
        on_web = self.web_relevancy >= threshold
        knows = judgement != "incorrect"
        three = (knows, judgement == "ambiguous" or (not knows and on_web))
        from_knowledge, from_web = dict(zip(ROUTES, ((knows, False), (False, on_web), three), strict=True))[route]
        if self.evidence_in == "nowhere":
            return not (from_knowledge or from_web)
        return (from_knowledge and self.found_in_knowledge) or (from_web and self.found_on_web)


@dataclass(frozen=True)
class Routes:
    """Every question, and the thresholds that the environment file sets."""

    threshold: float
    certain_from: float
    asked: tuple[Asked, ...]


RECORD = TypeAdapter(Measured[Routes])


def measure(options: Options) -> Routes:
    """Search every question in the documentation and on the stand-in for the web, which is empty without PubMedQA."""
    known = documentation_set()
    web = None if options.pubmedqa is None else pubmedqa_set(options.pubmedqa, quick=True)
    asked_of_web = () if web is None else web.questions
    golden = read_golden_set(REPOSITORY / known.environment.evaluation.dataset)
    kinds = ["in the documentation" if question.evidence else "nowhere" for question in golden]
    texts = [question.question for question in golden] + [question.text for question in asked_of_web]
    evidence = [
        *([(one.document, one.quote) for one in question.evidence] for question in golden),
        *(list(question.evidence) for question in asked_of_web),
    ]
    where = kinds + ["on the web"] * len(asked_of_web)
    embedded = in_new_process(vectors, work_of(known.environment, known.environment.knowledge.sources), texts)
    agents = known.environment.agents
    limit, results = agents.passages, (agents.routing or Routing()).web_results
    in_knowledge = search_all(known, texts, embedded, limit)
    pages = [[] for _ in texts] if web is None else search_all(web, texts, embedded, results)
    on_web = [web_passages(text, [_result(page) for page in found]) for text, found in zip(texts, pages, strict=True)]
    rows = zip(where, texts, evidence, in_knowledge, on_web, strict=True)
    return Routes(
        agents.relevancy_threshold,
        (agents.routing or Routing()).certain_from,
        tuple(
            Asked(place, relevancy(text, held), web_relevancy(text, found), _holds(held, proof), _holds(found, proof))
            for place, text, proof, held, found in rows
        ),
    )


def search_all(
    labelled: LabelledSet, texts: Sequence[str], embedded: Sequence[Sequence[float]], limit: int
) -> list[list[Passage]]:
    """What a set's generation holds on each of the texts, whose vectors are `embedded`.

    Raises:
        NotMeasurable: the set has no generation.
    """
    fusion = local_environment("documentation").knowledge.fusion
    settings = fused_with(fusion)
    with knowledge_store(labelled.environment) as store:
        manifest = store.serving()
        if manifest is None:
            raise NotMeasurable(f"{labelled.name} has no generation")
        return [
            hybrid_search(store, manifest, text, vector, manifest.embedding, settings, limit)
            for text, vector in zip(texts, embedded, strict=True)
        ]


def _result(passage: Passage) -> WebResult:
    chunk = passage.chunk
    return WebResult(web_address(chunk.path), chunk.path, chunk.text, 0.0)


def web_address(path: str) -> str:
    """The address under which a document of the stand-in for the web is found."""
    return f"https://web.example/{path}"


def _holds(passages: Sequence[Passage], evidence: Sequence[tuple[str, str]]) -> bool:
    return any(
        passage.chunk.document_uri.endswith(document) and holds_quote(passage.chunk.text, quote)
        for passage in passages
        for document, quote in evidence
    )


def tables(record: Measured[Routes]) -> str:
    """The section of the document."""
    routes = record.result
    places = ("in the documentation", "nowhere", "on the web")
    counts = {place: sum(one.evidence_in == place for one in routes.asked) for place in places}
    caption = ", ".join(f"{count} with evidence {place}" for place, count in counts.items() if place != "nowhere")
    chosen = f"Set: relevancy_threshold {routes.threshold:g}, certain_from {routes.certain_from:g}."
    return "\n\n".join(
        [
            provenance_line(record),
            f"{len(routes.asked)} questions: {caption}, {counts['nowhere']} that nothing answers. {chosen}",
            table(
                ("relevancy from", *(f"evidence {place}" for place in places), "evidence found in the passages"),
                [_threshold_row(routes, threshold, places) for threshold in THRESHOLDS],
            ),
            table(
                ("route", *(f"right, evidence {place}" for place in places), "right, all"),
                [_route_row(routes, route, places) for route in ROUTES],
            ),
        ]
    )


def _threshold_row(routes: Routes, threshold: float, places: Sequence[str]) -> tuple[str, ...]:
    above = [one for one in routes.asked if one.relevancy >= threshold]
    shares = [
        _share([one.relevancy >= threshold for one in routes.asked if one.evidence_in == place]) for place in places
    ]
    return (f"{threshold:g}", *shares, _share([one.found_in_knowledge for one in above]))


def _route_row(routes: Routes, route: str, places: Sequence[str]) -> tuple[str, ...]:
    def right(one: Asked) -> bool:
        judged = judgement_of(one.relevancy, routes.threshold, routes.certain_from)
        return one.right(route, judged, routes.threshold)

    by_place = [_share([right(one) for one in routes.asked if one.evidence_in == place]) for place in places]
    return (route, *by_place, _share([right(one) for one in routes.asked]))


def _share(held: Sequence[bool]) -> str:
    return f"{sum(held)} of {len(held)} ({sum(held) / max(len(held), 1):.2f})"
