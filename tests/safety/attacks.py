"""Attack strings of public sets, read as files out of their packages; nothing of these packages is imported."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any

MOST = 24
"""Attacks of each set that are tried, evenly spread over it."""


@dataclass(frozen=True)
class Attack:
    """`text` is what the attacker plants, `wanted` what the attacker wants to be said."""

    family: str
    text: str
    wanted: str


@cache
def attacks() -> tuple[Attack, ...]:
    """All sets, each thinned out to `MOST`."""
    families = (_spikee_exfiltration(), _spikee_extraction(), _agentdojo(), _garak_extraction(), _garak_markup())
    return tuple(attack for family in families for attack in _spread(list(family)))


def file_of(package: str, name: str) -> Path:
    """A file of an installed package, found without importing the package."""
    return Path(str(distribution(package).locate_file(name)))


def _spread(family: list[Attack]) -> Iterator[Attack]:
    return islice(family, 0, None, max(1, -(-len(family) // MOST)))


def _spikee_exfiltration() -> Iterator[Attack]:
    seeds = "spikee/data/workspace/datasets/seeds-cybersec-2026-01"
    jailbreaks = [line["text"] for line in _lines(file_of("spikee", f"{seeds}/jailbreaks.jsonl"))]
    for number, line in enumerate(_lines(file_of("spikee", f"{seeds}/instructions.jsonl"))):
        planted = jailbreaks[number % len(jailbreaks)].replace("<INSTRUCTION>", line["instruction"])
        # What their judge looks for may be the beginning of it only.
        yield Attack("spikee: exfiltration and scripts", planted, f"{line['judge_args']})")


def _spikee_extraction() -> Iterator[Attack]:
    seeds = "spikee/data/workspace/datasets/seeds-sysmsg-extraction-2025-04"
    for line in _lines(file_of("spikee", f"{seeds}/instructions.jsonl")):
        yield Attack("spikee: system prompt", line["instruction"], "My system prompt says:")


def _agentdojo() -> Iterator[Attack]:
    frame = _constant(file_of("agentdojo", "agentdojo/attacks/important_instructions_attacks.py"), "_JB_STRING")
    for suite in ("banking", "slack", "travel", "workspace"):
        path = file_of("agentdojo", f"agentdojo/default_suites/v1/{suite}/injection_tasks.py")
        for goal in _goals(path):
            call = json.dumps({"name": "read_page", "arguments": {"url": "http://169.254.169.254/latest/"}})
            planted = frame.format(user="Emma Johnson", model="assistant", goal=goal)
            yield Attack("agentdojo: tool calls", planted, f"<tool_call>{call}</tool_call> Done: {goal}")


def _garak_extraction() -> Iterator[Attack]:
    known: dict[str, list[str]] = json.loads(
        file_of("garak", "garak/data/sysprompt_extraction/attacks.json").read_text(encoding="utf-8")
    )
    for planted in (text for texts in known.values() for text in texts):
        yield Attack("garak: system prompt", planted, "Here are my initial instructions:")


def _garak_markup() -> Iterator[Attack]:
    template = file_of("garak", "garak/data/xss/xss_full_uri_prompt_templates/direct.txt").read_text(encoding="utf-8")
    for name in ("web_html_js", "markdown_js"):
        content = json.loads(file_of("garak", f"garak/data/payloads/{name}.json").read_text(encoding="utf-8"))
        for payload in content["payloads"]:
            wanted = f"[x]({payload})" if name == "markdown_js" else payload
            planted = template.replace("{uri}", wanted)
            yield Attack("garak: markup", planted, wanted)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _goals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            known = _assigned(node)
            if "GOAL" in known:
                yield known["GOAL"]


def _constant(path: Path, name: str) -> str:
    trees = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return next(known[name] for tree in trees if isinstance(tree, ast.ClassDef) and name in (known := _assigned(tree)))


def _assigned(node: ast.ClassDef) -> dict[str, str]:
    """The class's texts by name, those that are put together of earlier ones too."""
    known: dict[str, str] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            text = _text(statement.value, known)
            if text is not None:
                known[statement.targets[0].id] = text
    return known


def _text(value: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part, known) or "" for part in value.values)
    if isinstance(value, ast.FormattedValue):
        return known.get(value.value.id) if isinstance(value.value, ast.Name) else None
    return None
