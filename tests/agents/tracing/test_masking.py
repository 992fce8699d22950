import pytest

from agents.tracing.masking import mask, passes_luhn


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to jane.doe+eks@mail.example.com today", "Write to [e-mail] today"),
        ("Call +49 (0)30 123456-78 or 415-555-0132.", "Call [telephone] or [telephone]."),
        ("the key sk-lf-0123456789abcdef leaked", "the key [key] leaked"),
        ("ak_9106358866b3_b7GNW6n5imMIAWki3hc4LMtkL6tmtTX_YNAxQovUUDs was made", "[key] was made"),
        ("AKIAIOSFODNN7EXAMPLE is mine", "[key] is mine"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [secret]"),
        ('password = "correct horse"', 'password = [secret] horse"'),
        ("api_key: 0123456789", "api_key: [secret]"),
        ("pay 4111 1111 1111 1111 now", "pay [card] now"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl!", "[key]!"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "[key] x"),
    ],
)
def test_personal_data_and_secrets_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "The agent service listens on port 8080, at 10.0.0.1:8080 since 2026-11-26T18:52:00Z.",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "trace 0af7651916cd43dd8448eb211c80319c, version 1.106.2, 4111 1111 1111 1112 pieces",
        "What does `make down` stop? A token is a piece of a word; the password rotates.",
        "asset-key-value and task-force-management",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask(text) == text


def test_the_check_digit_is_that_of_the_standard() -> None:
    # The worked example of ISO/IEC 7812-1.
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
