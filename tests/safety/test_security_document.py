"""What docs/security.md says holds each risk of the OWASP list is there."""

import re

from tasks.environment import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "security.md"
RISKS = [f"LLM{number:02}" for number in range(1, 11)]


def rows() -> dict[str, str]:
    """What holds each risk of the list of 2025, by its number."""
    return dict(re.findall(r"^\| (LLM\d\d) [^|]+ \| ([^|]+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_risk_has_a_test_or_a_decision() -> None:
    assert list(rows()) == RISKS
    assert [risk for risk, held in rows().items() if "tests/" not in held and "decision" not in held] == []


def test_what_is_named_is_there() -> None:
    named = [path for held in rows().values() for path in re.findall(r"`((?:agents|tests)/[\w/.]+)`", held)]
    decisions = [number for held in rows().values() for number in re.findall(r"decision (\d{4})", held)]
    assert len(named) >= len(RISKS)
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
    assert [
        number for number in decisions if not list((REPOSITORY / "docs" / "decisions").glob(f"{number}-*.md"))
    ] == []
