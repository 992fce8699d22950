"""What one question may cost: time, tokens, tool calls and corrections."""

import time
from dataclasses import dataclass, field


@dataclass
class Budget:
    """What is left for one question, and how many tokens it has `spent`.

    Tokens are estimated. Of those that are left, a model call takes its prompt and its longest answer; what it spends
    is its prompt, and what the model wrote until it was done or stopped.
    """

    seconds: float
    tokens: int
    tool_calls: int
    corrections: int
    began: float = field(default_factory=time.perf_counter)
    corrected: int = 0
    spent: int = 0

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the question came."""
        return 1000 * (time.perf_counter() - self.began)

    @property
    def seconds_left(self) -> float:
        """Seconds until the answer has to be there; below 0 when it is late."""
        return self.seconds - self.elapsed_ms / 1000

    def take_call(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Begin a model call of so many tokens at most; False, and nothing is spent, when they are not left."""
        if prompt_tokens + answer_tokens > self.tokens:
            return False
        self.tokens -= prompt_tokens + answer_tokens
        self.spent += prompt_tokens
        return True

    def wrote(self, tokens: int) -> None:
        """Count what a model answered to such a call."""
        self.spent += tokens

    def take_tool_call(self) -> bool:
        """Spend a tool call; False when none is left."""
        if self.tool_calls <= 0:
            return False
        self.tool_calls -= 1
        return True

    def take_correction(self) -> bool:
        """Begin another attempt; False when none is left."""
        if self.corrected >= self.corrections:
            return False
        self.corrected += 1
        return True
