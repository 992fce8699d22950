"""What Prometheus scrapes; one registry a service, so that two services in one process do not mix."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agents.events import Answer, Kind
from agents.freshness import FreshnessWatch
from agents.limits.admission import Admission
from agents.recent_traces import Rating

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.1, 0.25, 1)
_SHARES = tuple(step / 10 for step in range(1, 11))
_SPAN_OUTCOMES = ("ended", "exported", "failed")


class Metrics:
    """Counts requests and answers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "agents_requests_total", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self.request_seconds = Histogram(
            "agents_request_seconds", "Time to the last byte.", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self._answers = Counter("agents_answers_total", "Answers by kind.", ["kind"], registry=self._registry)
        self._relevancy = Histogram(
            "agents_relevancy", "Relevancy of what was found.", buckets=_SHARES, registry=self._registry
        )
        self._stage_seconds = Histogram(
            "agents_stage_seconds", "Time a stage of answering.", ["stage"], buckets=_SECONDS, registry=self._registry
        )
        self.first_sentence_seconds = Histogram(
            "agents_first_sentence_seconds", "Time to the first sentence.", buckets=_SECONDS, registry=self._registry
        )
        self.dropped = Counter(
            "agents_sentences_dropped_total", "Sentences that the passages do not support.", registry=self._registry
        )
        self.first_token_seconds = Histogram(
            "agents_first_token_seconds",
            "Time to a model's first word.",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.tokens = Counter(
            "agents_tokens_total", "Tokens by model and direction.", ["model", "direction"], registry=self._registry
        )
        self.cost = Counter(
            "agents_cost_dollars_total", "What the gateway says that calls cost.", ["model"], registry=self._registry
        )
        self.cached_calls = Counter(
            "agents_cached_calls_total",
            "Calls that the gateway answered from its cache.",
            ["model"],
            registry=self._registry,
        )
        self.feedback = Counter("agents_feedback_total", "Ratings by people.", ["rating"], registry=self._registry)
        self.spans = Counter(
            "agents_spans_total", "Spans that ended, and what became of them.", ["outcome"], registry=self._registry
        )
        self.scores = Counter(
            "agents_scores_total", "Scores, by what became of them.", ["outcome"], registry=self._registry
        )
        self.loop_lag_seconds = Histogram(
            "agents_event_loop_lag_seconds",
            "By how much the event loop comes too late.",
            buckets=_LAG_SECONDS,
            registry=self._registry,
        )
        self._in_progress = Gauge(
            "agents_questions_in_progress", "Questions that are being answered.", registry=self._registry
        )
        self._waiting = Gauge("agents_questions_waiting", "Questions that wait for a place.", registry=self._registry)
        self._stale = Gauge(
            "agents_knowledge_stale", "1 when the last look found the knowledge stale.", registry=self._registry
        )
        self._ready = Gauge("agents_ready", "1 when everything an answer needs is there.", registry=self._registry)
        # A series that is born by the first event hides that event from `increase`, and its lack makes a ratio empty.
        for counter, values in (
            (self._answers, get_args(Kind)),
            (self.feedback, get_args(Rating)),
            (self.spans, _SPAN_OUTCOMES),
        ):
            for value in values:
                counter.labels(value)

    def watch_knowledge(self, freshness: FreshnessWatch) -> None:
        """Have each exposition say what `freshness` judged last."""
        self._stale.set_function(lambda: freshness.stale)

    def watch(self, admission: Admission) -> None:
        """Have each exposition say how many questions `admission` has at that moment."""
        self._in_progress.set_function(lambda: admission.running)
        self._waiting.set_function(lambda: admission.waiting)

    def record(self, answer: Answer) -> None:
        """Count one answer."""
        self._answers.labels(answer.kind).inc()
        self._relevancy.observe(answer.relevancy)
        for stage, milliseconds in answer.timings_ms.items():
            self._stage_seconds.labels(stage).observe(milliseconds / 1000)

    def exposition(self, ready: bool) -> bytes:
        """The text that Prometheus reads."""
        self._ready.set(ready)
        return generate_latest(self._registry)
