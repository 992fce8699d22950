import json
from typing import Any

import pytest

from agents.tracing.masking import mask, mask_json, passes_luhn

OWN_KEY = "ak_9106358866b3_b7GNW6n5imMIAWki3hc4LMtkL6tmtTX_YNAxQovUUDs"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to jane.doe+eks@mail.example.com today", "Write to [e-mail] today"),
        ("Call +49 (0)30 123456-78 or 415-555-0132.", "Call [telephone] or [telephone]."),
        ("the key sk-lf-0123456789abcdef leaked", "the key [key] leaked"),
        (f"{OWN_KEY} was made", "[key] was made"),
        ("AKIAIOSFODNN7EXAMPLE is mine", "[key] is mine"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [secret]"),
        ("Authorization: Basic dXNlcjpodW50ZXIyMjI=", "Authorization: Basic [secret]"),
        ("proxy-authorization: basic dXNlcjpodW50ZXIyMjI", "proxy-authorization: basic [secret]"),
        ("Basic dXNlcjpodW50ZXIyMjI\u212a", "Basic [secret]\u212a"),
        ("postgres://agents:hunter2222@db:5432/x", "postgres://[secret]@db:5432/x"),
        ("redis://:s3cretpass@cache:6379/0", "redis://[secret]@cache:6379/0"),
        ("https://bob:p4ssw0rd@localhost/x", "https://[secret]@localhost/x"),
        ("postgres://bob@example.com:p@ss@db.example.com/x", "postgres://[secret]@db.example.com/x"),
        ("tvly-dev-0123456789abcdef, pnu_0123456789abcdef0123", "[key], [key]"),
        ("pnb_0123456789abcdef0123 or github_pat_11ABCDEFG0_0123456789abcdef", "[key] or [key]"),
        ('password = "correct horse"', 'password = "[secret] horse"'),
        ("api_key: 0123456789", "api_key: [secret]"),
        ("DB_PASSWORD=hunter2222 make up", "DB_PASSWORD=[secret] make up"),
        ("export OPENAI_API_KEY=0123456789", "export OPENAI_API_KEY=[secret]"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[secret]"),
        ("client_secret: 0123abcd", "client_secret: [secret]"),
        ("accessToken = 0123abcd", "accessToken = [secret]"),
        ("password: c:\\0123456", "password: [secret]"),
        ("pay 4111 1111 1111 1111 now", "pay [card] now"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl!", "[key]!"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "[key] x"),
        ("-----BEGIN PRIVATE KEY-----\nA-Type: 4\n\nMIIE", "[key]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----BEGIN CERTIFICATE-----", "[key]-----BEGIN CERTIFICATE-----"),
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
        "max_tokens=131072, tokenizer: bert-base-uncased",
        "basic authentication, Basic PostgreSQL12 and BASIC AUTHENTICATION",
        "http://host:8080/a@b and http://host:8080, for @bob",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask(text) == text


LINES = [
    ("4111111111111111", "[card]"),
    ("sk-lf-0123456789abcdef", "[key]"),
    (OWN_KEY, "[key]"),
    ("+4930123456789", "[telephone]"),
    ("415-555-0132", "[telephone]"),
    ("jane@example.com", "[e-mail]"),
    ("Bearer abcdef123456", "Bearer [secret]"),
    ("password: hunter2222", "password: [secret]"),
    ("Authorization: Basic dXNlcjpodW50ZXIyMjI=", "Authorization: Basic [secret]"),
    ("Basic dXNlcjpodW50ZXIyMjI=", "Basic [secret]"),
    ("postgres://agents:hunter2222@db:5432/x", "postgres://[secret]@db:5432/x"),
    ("redis://:s3cretpass@cache:6379/0", "redis://[secret]@cache:6379/0"),
    ("https://bob:p4ssw0rd@localhost/x", "https://[secret]@localhost/x"),
    ("tvly-dev-0123456789abcdef", "[key]"),
    ("pnu_0123456789abcdef0123", "[key]"),
    ("pnb_0123456789abcdef0123", "[key]"),
    ("github_pat_11ABCDEFG0_0123456789abcdef", "[key]"),
    ('password="hunter2222"', 'password="[secret]"'),
]


@pytest.mark.parametrize(("line", "masked"), LINES)
def test_what_begins_a_line_of_a_text_in_json_is_masked_and_the_json_stays_one(line: str, masked: str) -> None:
    said = [{"role": "user", "content": f"Documents:\n\n{line}\n{line}\tünd"}]
    assert json.loads(mask_json(json.dumps(said, ensure_ascii=False))) == [
        {"role": "user", "content": f"Documents:\n\n{masked}\n{masked}\tünd"}
    ]


@pytest.mark.parametrize(("line", "masked"), LINES)
@pytest.mark.parametrize("levels", [1, 2])
def test_json_that_was_cut_off_or_stands_in_json_is_masked_too(line: str, masked: str, levels: int) -> None:
    text = f"Documents:\n\n{line}\n"
    for _ in range(levels):
        text = json.dumps([text])
    for form in (text[:-1], text, json.dumps({"of": text})):
        kept = mask_json(form)
        assert line.split('"')[-2 if '"' in line else 0] not in kept
        assert masked.split('"')[-2 if '"' in masked else 0] in kept


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ({"password": "correct horse"}, {"password": "[secret]"}),
        ({"dbPasswords": ["hunter2222", {"port": 543210}]}, {"dbPasswords": ["[secret]", {"port": 543210}]}),
        ({"pin_token": 123456, "max_tokens": 131072}, {"pin_token": "[secret]", "max_tokens": 131072}),
        ({"card": 4111111111111111, "jane@example.com": None}, {"card": "[card]", "[e-mail]": None}),
    ],
)
def test_a_value_in_json_is_masked_by_its_name_and_whatever_its_type(said: Any, masked: Any) -> None:
    assert json.loads(mask_json(json.dumps(said))) == masked


@pytest.mark.parametrize("text", ['{"score":  0.75, "query": "What is\\na generation?"}', "[1] says so", "[" * 60_000])
def test_json_without_secrets_and_what_only_begins_like_it_stay_as_they_are(text: str) -> None:
    assert mask_json(text) == text


def test_half_a_character_in_json_is_not_written_out() -> None:
    masked = mask_json('{"text": "\\ud800\\njane@example.com"}')
    assert masked.encode()
    assert "example" not in masked


def test_the_check_digit_is_that_of_the_standard() -> None:
    # The worked example of ISO/IEC 7812-1.
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
