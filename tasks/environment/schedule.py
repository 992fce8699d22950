"""When a flow starts by itself."""

import re
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator

from tasks.environment.section import Section, Text

FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d*))?")


def _happens(cron: str) -> str:
    for text, (name, low, high, words) in zip(cron.split(), FIELDS, strict=True):
        if not all(_is_part(part.lower(), low, high, words) for part in text.split(",")):
            named = f" or {words[0]}..{words[-1]}" if words else ""
            raise ValueError(f"{cron!r}: the {name} is {text!r}, allowed are * or {low}..{high}{named}")
    return cron


def _is_part(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = PART.fullmatch(part)
    if match is None:
        return False
    given = [text for text in (match["first"], match["last"]) if text is not None]
    numbers = [low + words.index(text) if text in words else int(text) if text.isdecimal() else -1 for text in given]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


Cron = Annotated[
    str,
    Field(pattern=r"^\S+( \S+){4}$", description='a cron line of five fields, such as "0 3 * * *"'),
    AfterValidator(_happens),
]


class Schedule(Section):
    """A cron line (minute, hour, day of the month, month, day of the week) in a named time zone."""

    cron: Cron
    timezone: Text

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError(f"{timezone!r} is not an IANA time zone, such as 'UTC' or 'Europe/Berlin'")
        return timezone
