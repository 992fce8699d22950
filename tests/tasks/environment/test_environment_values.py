"""A value that no key of its kind may have."""

from pathlib import Path

import pytest

from tests.tasks.environment.laptop_file import LAPTOP, Refused, refusal, require_refused

REFUSED: Refused = {
    # values
    "not in the enumeration": (
        '"pick_free"',
        '"pick"',
        [":14: laptop.when_port_taken = \"pick\", but it must be 'pick_free' or 'refuse'"],
    ),
    "unknown environment name": ('"local"', '"staging"', ["environment.name", "'local', 'dev' or 'prod'"]),
    "above the range": ("= 0.35", "= 1.35", ["agents.relevancy_threshold = 1.35, but it must be a number from 0 to 1"]),
    "below the range": (
        "recall_at_5 = 0.85",
        "recall_at_5 = -1",
        ["evaluation.thresholds.recall_at_5 = -1", "from 0 to"],
    ),
    "too small": ("tokens = 224", "tokens = 8", ["knowledge.chunks.tokens = 8", "a whole number, 32 or more"]),
    "not above zero": ("answer_seconds         = 60", "answer_seconds = 0", ["answer_seconds = 0", "a number above 0"]),
    "unknown store": ('"lancedb"', '"lance"', ['knowledge.store.engine = "lance"', "'lancedb' or 'opensearch'"]),
    "store without engine": ('engine = "lancedb", ', "", ["knowledge.store.engine is missing", "'lancedb' or"]),
    "key of the other store": (
        'directory = "knowledge"',
        'directory = "knowledge", shards = 1',
        ["knowledge.store has the unknown key 'shards'", "allowed are directory, engine"],
    ),
    "store outside the data directory": (
        '"knowledge"',
        '"../knowledge"',
        ["store.directory: '../knowledge' must be a rel"],
    ),
    "source of another kind": (
        "file://docs",
        "http://docs",
        ["knowledge.sources.0.uri", "file://<directory> or s3://"],
    ),
    "malformed hash": ("0" * 64, "0" * 63, ["catalogue.vectors.packaged.sha256", "64 digits"]),
    "cron line that never comes": ("0 3 * * *", "0 25 * * *", ["the hour is '25', allowed are * or 0..23"]),
    "cron line of four fields": ("0 3 * * *", "0 3 * *", ["knowledge.schedule.cron", "five fields"]),
    "unknown time zone": (
        '"UTC"',
        '"Mars/Base"',
        ["knowledge.schedule.timezone: 'Mars/Base' is not an IANA time zone"],
    ),
    # secrets
    "access key": ('".state"', '"AKIAIOSFODNN7EXAMPLE"', [":11: holds an AWS access key", "environment variables"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(
    variable_file: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_refused(variable_file, old, new, fragments)


def test_a_secret_is_not_repeated_in_the_error(variable_file: Path) -> None:
    variable_file.write_text(LAPTOP.replace('".state"', '"AKIAIOSFODNN7EXAMPLE"'))
    assert "IOSFODNN7" not in refusal(variable_file)
