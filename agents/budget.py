"""What one question may cost: time, tokens, tool calls and corrections."""

import time
from dataclasses import dataclass, field


@dataclass
class Budget:
    """What is left for one question. Tokens are estimated, of prompts and of the longest answers to them."""

    seconds: float
    tokens: int
    tool_calls: int
    corrections: int
    began: float = field(default_factory=time.perf_counter)
    corrected: int = 0

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the question came."""
        return 1000 * (time.perf_counter() - self.began)

    @property
    def seconds_left(self) -> float:
        """Seconds until the answer has to be there; below 0 when it is late."""
        return self.seconds - self.elapsed_ms / 1000

    def take_tokens(self, tokens: int) -> bool:
        """Spend `tokens` on a model call; False, and nothing is spent, when so many are not left."""
        if tokens > self.tokens:
            return False
        self.tokens -= tokens
        return True

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
