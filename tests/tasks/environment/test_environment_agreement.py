"""Terraform, the reference page and Python describe the same file."""

import re
from typing import Any, cast

import hcl2
from lark import Token, Tree

from tasks.environment import REPOSITORY, Environment
from tasks.environment.literals import read_literals

# A type is "string", "number" or "bool", a pair ("list" or "map", type of the elements), or the fields of an object:
# by key, whether it is required, its type and its default.
Fields = dict[str, tuple[bool, Any, object]]

INFRA = REPOSITORY / "infra"
MODEL = Environment.model_json_schema()


def terraform_fields() -> Fields:
    fields: Fields = {}
    for file in INFRA.glob("*.tf"):
        text = file.read_text(encoding="utf-8")
        for block in hcl2.parses_to_tree(text).find_data("block"):
            labels = [text[label.meta.start_pos : label.meta.end_pos] for label in trees(block)[:2]]
            if labels[0] == "variable":
                attributes = {
                    text[name.meta.start_pos : name.meta.end_pos]: value
                    for name, value in (trees(attribute) for attribute in trees(trees(block)[-1], "attribute"))
                }
                required = "default" not in attributes
                default = None if required else literal(attributes["default"], text)
                fields[labels[1].strip('"')] = (required, terraform_type(attributes["type"], text), default)
    return fields


def terraform_type(node: Tree[Token], text: str) -> Any:
    (node,) = trees(node)
    if node.data == "identifier":
        return text[node.meta.start_pos : node.meta.end_pos]
    constructor, arguments = called(node, text)
    assert constructor in ("list", "map", "object"), constructor
    if constructor != "object":
        return (constructor, terraform_type(arguments[0], text))
    fields: Fields = {}
    for element in trees(trees(arguments[0])[0], "object_elem"):
        key, value = trees(element)
        fields[text[key.meta.start_pos : key.meta.end_pos]] = terraform_field(value, text)
    return fields


def terraform_field(node: Tree[Token], text: str) -> tuple[bool, Any, object]:
    if trees(node)[0].data == "function_call":
        constructor, arguments = called(trees(node)[0], text)
        if constructor == "optional":
            default = literal(arguments[1], text) if len(arguments) == 2 else None
            return (False, terraform_type(arguments[0], text), default)
    return (True, terraform_type(node, text), None)


def called(node: Tree[Token], text: str) -> tuple[str, list[Tree[Token]]]:
    name, arguments = trees(node)
    return text[name.meta.start_pos : name.meta.end_pos], trees(arguments)


def literal(node: Tree[Token], text: str) -> object:
    return read_literals(f"value = {text[node.meta.start_pos : node.meta.end_pos]}").values.get("value")


def trees(node: Tree[Token], kind: str | None = None) -> list[Tree[Token]]:
    found = [child for child in node.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]
    return [child for child in found if kind is None or child.data == kind]


def model_type(schema: dict[str, Any]) -> Any:
    while "$ref" in schema or "anyOf" in schema:
        schema = MODEL["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["anyOf"][0]
    if "oneOf" in schema:
        return united([model_type(member) for member in schema["oneOf"]])
    if "items" in schema:
        return ("list", model_type(schema["items"]))
    if "properties" in schema:
        return model_fields(schema)
    if "additionalProperties" in schema:
        return ("map", model_type(schema["additionalProperties"]))
    return {"string": "string", "boolean": "bool", "integer": "number", "number": "number"}[schema["type"]]


def model_fields(schema: dict[str, Any]) -> Fields:
    required = schema.get("required", [])
    return {
        name: (name in required, model_type(field), without_nulls(field.get("default")))
        for name, field in schema["properties"].items()
    }


def without_nulls(default: object) -> object:
    """A key that is null is one that is left out, as the reader of the variable file has it."""
    if not isinstance(default, dict):
        return default
    fields = cast(dict[str, object], default)
    return {key: value for key, value in fields.items() if value is not None}


def united(members: list[Fields]) -> Fields:
    """Terraform has no unions: an object of all members' keys, required only where every member requires it."""
    fields: Fields = {}
    for name in {name for member in members for name in member}:
        having = [member[name] for member in members if name in member]
        assert all(field[1] == having[0][1] for field in having), f"{name!r} has two types"
        required = len(having) == len(members) and all(field[0] for field in having)
        defaults = [field[2] for field in having if field[2] is not None]
        fields[name] = (required, having[0][1], defaults[0] if defaults else None)
    return fields


def flat(fields: Fields, prefix: str = "") -> dict[str, tuple[bool, str, object]]:
    """One line a field, so that a difference names its key."""
    lines: dict[str, tuple[bool, str, object]] = {}
    for name, (required, kind, default) in fields.items():
        word = ""
        while isinstance(kind, tuple):
            word, kind = f"{word}{kind[0]} of ", kind[1]
        key = f"{prefix}{name}"
        lines[key] = (required, word + ("object" if isinstance(kind, dict) else kind), default)
        if isinstance(kind, dict):
            lines |= flat(kind, f"{key}.")
    return lines


def test_terraform_declares_the_fields_of_the_model_and_no_others() -> None:
    assert flat(terraform_fields()) == flat(model_fields(MODEL))


def test_the_comparison_sees_into_every_kind_of_type() -> None:
    seen = flat(terraform_fields())
    assert seen["models.catalogue"] == (True, "map of object", None)
    assert seen["models.catalogue.packaged.sha256"] == (True, "string", None)
    assert seen["models.catalogue.replicas"] == (False, "number", 1)
    assert seen["knowledge.sources.include"] == (False, "list of string", ["**/*"])
    assert seen["knowledge.store.engine"] == (True, "string", None)
    assert seen["knowledge.store.directory"] == (False, "string", None)
    assert seen["laptop"] == (False, "object", None)
    assert seen["network.zones.private"] == (True, "string", None)
    assert seen["access.roles.admin.session_hours"] == (False, "number", 8)
    assert seen["access.ci.subjects"] == (True, "list of string", None)
    assert seen["cluster.addon_versions"] == (False, "map of string", {})
    assert seen["observability.pod_logs"] == (True, "map of number", None)
    assert seen["data.postgres.multi_zone"] == (True, "bool", None)
    assert seen["data.images.pull_through.credentials_secret"] == (False, "string", None)
    assert seen["edge.sign_in.kind"] == (True, "string", None)
    assert seen["edge.sign_in.mfa"] == (False, "string", None)


def test_the_reference_page_has_a_row_for_every_value_and_for_nothing_else() -> None:
    page = (REPOSITORY / "docs" / "environment-file.md").read_text(encoding="utf-8")
    rows = {re.sub(r"<name>\.|\[\]", "", key) for key in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)}
    keys = flat(model_fields(MODEL))
    values = {key for key, (_, kind, _) in keys.items() if kind != "object" and not kind.endswith("of object")}
    assert values - rows == set()
    assert rows - keys.keys() == set()
