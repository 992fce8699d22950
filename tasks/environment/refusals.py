"""What a refused variable file is told: the line, the key, and what is allowed there.

What is allowed is read from the model's JSON Schema, so that it cannot differ from what is checked.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import process

from tasks.environment.literals import Literals

Schema = Mapping[str, Any]
KINDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
}
SIMILAR_ENOUGH = 60


def explain(error: ValidationError, schema: Schema, literals: Literals) -> list[str]:
    """One line a problem, `<line>: <key> <what is wrong>; <what is allowed>`, in the order of the file.

    `schema` is the JSON Schema of the model that refused the values of `literals`.
    """
    placed: list[tuple[int, str]] = []
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "too_short" and any(_below(other["loc"], problem["loc"]) for other in problems):
            continue  # pydantic counts the elements that it has not refused already
        path, here = _locate(problem["loc"], schema)
        placed.append((literals.line_of(path), _sentence(problem, ".".join(map(str, path)), here, schema)))
    return [f"{line}: {sentence}" for line, sentence in sorted(placed)]


def _sentence(problem: ErrorDetails, key: str, here: Schema, schema: Schema) -> str:
    match problem["type"]:
        case "missing":
            return f"{key} is missing; it must be {allowed(here, schema)}"
        case "extra_forbidden":
            parent, _, name = key.rpartition(".")
            return _unknown(name, f"{parent} " if parent else "the file ", sorted(here.get("properties", {})))
        case "value_error":
            reason = problem["msg"].removeprefix("Value error, ")
            return f"{key}: {reason}" if key else reason
        case "union_tag_not_found":
            tag = here["discriminator"]
            return f"{key}.{tag['propertyName']} is missing; it must be {_one_of(tag['mapping'])}"
        case "union_tag_invalid":
            tag = here["discriminator"]
            given = _quoted(problem["input"][tag["propertyName"]])
            return f"{key}.{tag['propertyName']} = {given}, but it must be {_one_of(tag['mapping'])}"
        case _ if problem["loc"][-1] == "[key]":
            return _unknown(str(problem["input"]), f"{key.rpartition('.')[0]} ", here["propertyNames"]["enum"])
        case _:
            return f"{key} = {_quoted(problem['input'])}, but it must be {allowed(here, schema)}"


def _below(loc: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(loc) > len(other) and loc[: len(other)] == other


def _unknown(name: str, where: str, known: Sequence[str]) -> str:
    near = process.extractOne(name, known, score_cutoff=SIMILAR_ENOUGH)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{where}has the unknown key {name!r}; {hint}allowed are {', '.join(known)}"


def _locate(loc: tuple[int | str, ...], schema: Schema) -> tuple[tuple[int | str, ...], Schema]:
    """The path of a problem as it is written in the file, and the schema that holds there.

    For an unknown key it is the schema of the section around it. Pydantic's location also has the
    tag of the union member that it chose, which is no key of the file.
    """
    path: list[int | str] = []
    here = schema
    for part in loc:
        here = _resolved(here, schema)
        if part == "[key]":
            break
        if "discriminator" in here:
            here = {"$ref": here["discriminator"]["mapping"][part]}
            continue
        path.append(part)
        if part in here.get("properties", {}):
            here = here["properties"][part]
        elif "items" in here and isinstance(part, int):
            here = here["items"]
        elif here.get("additionalProperties") and part in here.get("propertyNames", {}).get("enum", [part]):
            here = here["additionalProperties"]
    return tuple(path), _resolved(here, schema)


def _resolved(here: Schema, schema: Schema) -> Schema:
    """Follow `$ref`, and take the first of `X or null`."""
    while "$ref" in here or "anyOf" in here:
        here = schema["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else here["anyOf"][0]
    return here


def allowed(here: Schema, schema: Schema) -> str:
    """Say in words which values a part of the schema allows, such as `a whole number from 1 to 50`."""
    here = _resolved(here, schema)
    if "enum" in here or "const" in here:
        return _one_of(here.get("enum", [here.get("const")]))
    if "pattern" in here:
        return here["description"]
    if "items" in here:
        return f"a list{' of at least one' if here.get('minItems') else ''}, each {allowed(here['items'], schema)}"
    if "oneOf" in here:
        return f"an object with {here['discriminator']['propertyName']} {_one_of(here['discriminator']['mapping'])}"
    if "properties" in here:
        return f"an object with the keys {', '.join(sorted(here['properties']))}"
    if "additionalProperties" in here:
        return f"an object of name = value, each {allowed(here['additionalProperties'], schema)}"
    return KINDS[here["type"]] + _range(here)


def _range(here: Schema) -> str:
    if "minimum" in here and "maximum" in here:
        return f" from {here['minimum']} to {here['maximum']}"
    if "minimum" in here:
        return f", {here['minimum']} or more"
    return f" above {here['exclusiveMinimum']}" if "exclusiveMinimum" in here else ""


def _one_of(values: Sequence[Any] | Mapping[str, Any]) -> str:
    return " or ".join(", ".join(map(repr, values)).rsplit(", ", 1))


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
