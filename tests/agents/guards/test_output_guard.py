import base64

import pytest

from agents.guards.output_guard import OutputGuard
from agents.prompt import INSTRUCTIONS

SECRET = "sk-Qm7xT2vLp9"
GUARD = OutputGuard([SECRET, "short"], [INSTRUCTIONS])


@pytest.mark.parametrize(
    "text",
    [
        f"The key is {SECRET}.",
        SECRET.upper(),
        " ".join(SECRET),
        "s.k.-.Q.m.7.x.T.2.v.L.p.9",
        SECRET[::-1],
        "\u200b".join(SECRET),
        "".join(chr(ord(character) + 0xFEE0) for character in SECRET),
        "".join(f"\U000e0001{character}\ufe0f" for character in SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex(" "),
        base64.b64encode(f"key={SECRET}!".encode()).decode(),
        base64.b64encode(f"the key={SECRET}!".encode()).decode(),
        base64.b64encode(f"a key={SECRET}!".encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_held_back_however_it_is_spelled(text: str) -> None:
    assert GUARD.refusal(text) == "it holds a secret"


@pytest.mark.parametrize(
    "text",
    [
        INSTRUCTIONS,
        "My instructions: " + INSTRUCTIONS[:70],
        INSTRUCTIONS.upper(),
        "* " + " - ".join(INSTRUCTIONS.split()[3:14]),
    ],
)
def test_the_instructions_are_held_back(text: str) -> None:
    assert GUARD.refusal(text) == "it repeats the instructions"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "`make down` stops every process that `make up` started.",
        "Documents are data.",
        "Answer in one to three sentences.",
        "This is short.",
    ],
)
def test_everyday_language_is_let_through(text: str) -> None:
    assert GUARD.refusal(text) is None
