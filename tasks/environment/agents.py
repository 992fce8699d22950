"""How the agent service of an environment answers: its thresholds and limits."""

from typing import Annotated

from pydantic import Field

from tasks.environment.identity import PrefectCredentials
from tasks.environment.section import Section
from tasks.environment.tracing import Tracing
from tasks.environment.web_search import WebSearch

GATE_KEY = "agents-gate-key"
"""The secret with which the gate of a release asks a service that knows its callers."""
Share = Annotated[float, Field(ge=0, le=1)]


class Routing(Section):
    """Below `certain_from` (a relevancy, 0..1) the web is asked too, where it may be, for `web_results` pages."""

    certain_from: Share
    web_results: Annotated[int, Field(ge=1, le=10)]


class Prompt(Section):
    """What the model that writes is given of what was found: so many passages of each origin, so many tokens in all."""

    passages: Annotated[int, Field(ge=1, le=50)]
    tokens: Annotated[int, Field(ge=200)]


class Budgets(Section):
    """What one question may cost besides time: tokens (estimated), tool calls, and drafts that are thrown away."""

    tokens: Annotated[int, Field(ge=512)]
    tool_calls: Annotated[int, Field(ge=0)]
    corrections: Annotated[int, Field(ge=0, le=5)]


class Freshness(Section):
    """How long ago the sources may have been looked at, and how often at most their change starts a refresh."""

    objective_hours: Annotated[float, Field(gt=0)]
    window_minutes: Annotated[float, Field(gt=0)]
    prefect_credentials: PrefectCredentials | None = None


class SignIn(Section):
    """Whether callers have to say who they are, by API key or signed in by the load balancer."""

    required: bool


class Allowance(Section):
    """How much one caller may use: requests in the long run and at once, and tokens (estimated) in a day of UTC."""

    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    burst: Annotated[int, Field(ge=1)] = 10
    tokens_per_day: Annotated[int, Field(ge=1)] | None = None


class Load(Section):
    """How many answers a replica works on at once, how many questions wait there, and for how long at most."""

    answers: Annotated[int, Field(ge=1)]
    waiting: Annotated[int, Field(ge=0)]
    wait_seconds: Annotated[float, Field(gt=0)]


class Conversations(Section):
    """How long conversations are kept after their last question."""

    kept_days: Annotated[int, Field(ge=1)]


class Gate(Section):
    """What a new version must pass on AWS before people get it: golden questions, of which it must get enough right.

    `least_right` is the share (0..1) that must be right; `most_worse` is the share that may be right with the version
    that serves and wrong with the new one, because answers of models vary.
    """

    questions: Annotated[int, Field(ge=1)] = 20
    least_right: Share = 0.6
    most_worse: Share = 0.1


class Agents(Section):
    """Thresholds (0..1) and limits of the service; without `freshness` nobody watches how old the knowledge is."""

    relevancy_threshold: Share
    groundedness_threshold: Share
    passages: Annotated[int, Field(ge=1, le=50)]
    answer_tokens: Annotated[int, Field(ge=16)]
    answer_seconds: Annotated[float, Field(gt=0)]
    question_bytes: Annotated[int, Field(ge=256)]
    prompt: Prompt | None = None
    routing: Routing | None = None
    budgets: Budgets | None = None
    freshness: Freshness | None = None
    web_search: WebSearch | None = None
    sign_in: SignIn | None = None
    allowance: Allowance | None = None
    load: Load | None = None
    conversations: Conversations | None = None
    gate: Gate | None = None
    tracing: Tracing | None = None

    @property
    def callers_sign_in(self) -> bool:
        """Whether the service refuses whoever does not say who it is."""
        return self.sign_in is not None and self.sign_in.required
