"""From passages to checked sentences: the states answer, check and correct."""

from agents.drafting import Draft
from agents.evaluation.evaluator import Evaluator
from agents.evaluation.quoting import is_to_the_point
from agents.evaluation.sentences import Sentence
from agents.events import CorrectionBegun, SentenceDropped
from agents.gateway.client import GatewayUnavailable, ModelGateway
from agents.guards.output_guard import OutputGuard
from agents.inquiry import Inquiry, Refusal, Steps
from agents.prompt import asked_of, messages
from agents.settings import Limits, Models, Prompt
from agents.states import Outcome
from agents.token_estimate import estimate_tokens

MOST_SENTENCES = 3
"""What was asked is answered by then; small models wander off when they are not stopped."""

MOST_MISSES = 3
"""A draft with so many sentences that may not be shown is given up: of 21 right drafts none had more than two before
its first good sentence, and every sentence costs about a second of a small model."""


class Composing:
    """Has the reasoning model write, and the evaluation agent check."""

    def __init__(
        self,
        gateway: ModelGateway,
        evaluator: Evaluator,
        guard: OutputGuard,
        models: Models,
        limits: Limits,
        given: Prompt,
    ) -> None:
        self._gateway = gateway
        self._evaluator = evaluator
        self._guard = guard
        self._models = models
        self._limits = limits
        self._given = given

    async def answer(self, inquiry: Inquiry) -> Steps:
        """Have the next sentence written; at the end of a draft say what became of it."""
        refuted = False
        with inquiry.timed("model"):
            try:
                inquiry.sentence = await self._next_sentence(inquiry)
                refuted = inquiry.sentence is None and bool(inquiry.refusals)
            except TimeoutError:
                inquiry.sentence = None
                inquiry.note(f"the model was stopped after {self._limits.answer_seconds:g} s")
            except GatewayUnavailable as error:
                inquiry.sentence = None
                inquiry.note(f"the reasoning model failed: {error}")
        if inquiry.sentence is not None:
            yield Outcome.DRAFTED
        elif inquiry.composition.sentences:
            yield Outcome.ANSWERED
        else:
            yield Outcome.REFUTED if refuted and inquiry.budget.take_correction() else Outcome.UNANSWERED

    async def check(self, inquiry: Inquiry) -> Steps:
        """Check the sentence; release it with its citation, or drop it."""
        sentence = inquiry.sentence
        if sentence is None:
            raise RuntimeError("there is no sentence to check")
        if (refusal := self._guard.refusal(sentence.text)) is not None:
            # The sentence itself goes nowhere, not into the next prompt either.
            inquiry.refusals.append(Refusal(refusal, refusal))
            yield SentenceDropped(refusal)
            yield Outcome.UNSUPPORTED
            return
        with inquiry.timed("check"):
            verdict = await self._evaluator.groundedness(
                sentence.text, inquiry.question, inquiry.passages, inquiry.budget
            )
            if verdict.note is not None:
                inquiry.note(verdict.note)
            failure = verdict.failure
            if verdict.quote and not failure and not inquiry.composition.sentences:
                pertinent = is_to_the_point(inquiry.question, verdict.quote, inquiry.passages)
                failure = None if pertinent else "it is beside the question"
        if verdict.quote is None or failure is not None:
            reason = failure or "nothing supports it"
            because = reason if verdict.details is None else f"{reason}: {verdict.details}"
            inquiry.refusals.append(Refusal(reason, f"{sentence.text!r}: {because}"))
            yield SentenceDropped(reason)
            yield Outcome.UNSUPPORTED
            return
        if inquiry.draft is not None:
            inquiry.composition.model = inquiry.draft.model
        for event in inquiry.composition.release(sentence.text, sentence.separator, verdict.quote, verdict.score):
            yield event
        yield Outcome.SUPPORTED

    async def correct(self, inquiry: Inquiry) -> Steps:
        """Begin another draft, whose prompt says why the last one was refused."""
        if inquiry.draft is not None:
            await inquiry.draft.close()
        refusal, inquiry.refusals = inquiry.refusals[0], []
        inquiry.composition.corrections = inquiry.budget.corrected
        yield CorrectionBegun(inquiry.budget.corrected, refusal.reason)
        inquiry.draft = self._draft(inquiry, refusal.feedback)
        yield Outcome.RETRIED

    async def _next_sentence(self, inquiry: Inquiry) -> Sentence | None:
        if len(inquiry.composition.sentences) >= MOST_SENTENCES or len(inquiry.refusals) >= MOST_MISSES:
            return None
        if inquiry.draft is None:
            inquiry.draft = self._draft(inquiry, None)
        return None if inquiry.draft is None else await inquiry.draft.next_sentence(inquiry.budget.seconds_left)

    def _draft(self, inquiry: Inquiry, refusal: str | None) -> Draft | None:
        tokens, context = self._limits.answer_tokens, self._models.reasoning.context_tokens
        prompt = messages(inquiry.question, inquiry.passages, self._given, context, tokens, refusal)
        if (asked := len(asked_of(inquiry.question, context))) < len(inquiry.question):
            inquiry.note(f"the model was asked the first {asked} characters of the question")
        if not inquiry.budget.take_call(sum(estimate_tokens(str(one.get("content"))) for one in prompt), tokens):
            inquiry.note("the model was not asked: no tokens are left")
            return None
        return Draft(self._gateway.stream_chat(prompt, tokens), inquiry.budget)
