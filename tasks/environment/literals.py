"""From the text of a variable file to plain values, each with the line it stands on.

python-hcl2 parses; what its serializer would let through in silence is refused here: a key given
twice, an expression that only Terraform could resolve, an escape that HCL does not have.
"""

import re
from dataclasses import dataclass, field

import hcl2
from lark import Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

Path = tuple[str | int, ...]
Node = Tree[Token] | Token

DEEPEST = 16
LARGEST_EXACT = 2**53
ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\\": "\\"}
ESCAPE = re.compile(r"(\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.))", re.DOTALL)
ONLY_LITERALS = (
    "must be a literal (string, number, true, false, null, list or object): references, functions, operators, "
    "templates and heredocs cannot be resolved, because Python reads this file too"
)


class NotLiteral(Exception):
    """The text is not a list of `key = literal`; says where (line:column) and what is allowed there."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"{line}:{column}: {reason}")


@dataclass(frozen=True)
class Literals:
    """The values of a variable file, and the line (from 1) of every key, by its path."""

    values: dict[str, object] = field(default_factory=dict[str, object])
    lines: dict[Path, int] = field(default_factory=dict[Path, int])

    def line_of(self, path: Path) -> int:
        """The line of the key at `path`, or of the nearest section around it, or 1."""
        known = (self.lines.get(path[:length]) for length in range(len(path), 0, -1))
        return next((line for line in known if line is not None), 1)


def read_literals(text: str) -> Literals:
    """Parse the text of a variable file; a key that is null is left out, as Terraform treats optional keys.

    Raises:
        NotLiteral: a syntax error, a block, a key given twice, or a value that is not a literal.
    """
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        raise NotLiteral(max(error.line, 1), max(error.column, 1), _syntax_reason(error)) from error
    literals = Literals()
    for body in tree.children:
        if isinstance(body, Tree):
            literals.values.update(_entries(body, "attribute", (), literals.lines))
    return literals


def _syntax_reason(error: UnexpectedInput) -> str:
    token = error.token if isinstance(error, UnexpectedToken) else ""
    if isinstance(token, Token) and token.type == "$END":
        return "HCL syntax error: the file ends here, but a bracket or a quote is still open"
    near = str(token).strip(" \t").split("\n")[0][:40]
    return f"HCL syntax error at {near!r}" if near else "HCL syntax error: the line ends too early"


def _entries(parent: Tree[Token], kind: str, path: Path, lines: dict[Path, int]) -> dict[str, object]:
    """The `key = value` entries of a file (kind `attribute`) or of an object (kind `object_elem`)."""
    values: dict[str, object] = {}
    separated = True
    for child in parent.children:
        if isinstance(child, Token) or child.data == "new_line_or_comment":
            separated = True
            continue
        if child.data != kind:
            raise _refusal(child, "a block is not allowed; write it with an equals sign: name = { ... }")
        if not separated:
            raise _refusal(child, "two keys on one line need a comma (inside braces) or a line break between them")
        key = _key(child.children[0])
        here = (*path, key)
        if here in lines:
            raise _refusal(child, f"{_dotted(here)} is given twice, first on line {lines[here]}")
        lines[here] = child.meta.line
        value = _value(child.children[2], here, lines)
        if value is not None:
            values[key] = value
        separated = False
    return values


def _key(node: Node) -> str:
    while isinstance(node, Tree) and node.data in ("object_elem_key", "expr_term") and len(node.children) == 1:
        node = node.children[0]
    if isinstance(node, Tree) and node.data in ("identifier", "keyword", "literal_value"):
        return str(node.children[0])
    if isinstance(node, Tree) and node.data == "string":
        return _string(node, "a key")
    raise _refusal(node, "a key must be a name; one with other characters than letters, digits, _ and - needs quotes")


def _value(node: Node, path: Path, lines: dict[Path, int]) -> object:
    if isinstance(node, Tree) and node.data == "expr_term" and len(node.children) == 1:
        node = node.children[0]
    if len(path) > DEEPEST:
        raise _refusal(node, f"{path[0]} has brackets nested deeper than {DEEPEST}")
    match node:
        case Tree(data="string"):
            return _string(node, _dotted(path))
        case Tree(data="int_lit" | "float_lit", children=[Token() as digits]):
            return _number(node, digits, path)
        case Tree(data="unary_op", children=["-", Tree(children=[Tree(data="int_lit" | "float_lit") as number])]):
            return _number(node, f"-{number.children[0]}", path)
        case Tree(data="literal_value", children=[Token() as word]):
            return {"true": True, "false": False}.get(str(word))
        case Tree(data="object"):
            return _entries(node, "object_elem", path, lines)
        case Tree(data="tuple"):
            return _elements(node, path, lines)
        case _:
            raise _refusal(node, f"{_dotted(path)} {ONLY_LITERALS}")


def _elements(node: Tree[Token], path: Path, lines: dict[Path, int]) -> list[object]:
    trees = [child for child in node.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]
    values: list[object] = []
    for index, tree in enumerate(trees):
        here = (*path, index)
        lines[here] = tree.meta.line
        values.append(_value(tree, here, lines))
    return values


def _number(node: Tree[Token], digits: str, path: Path) -> int | float:
    """The number; whole ones are int however they are written (5, 5.0, 5e0), as Terraform has one number type."""
    number = float(digits)
    if abs(number) > LARGEST_EXACT:
        raise _refusal(node, f"{_dotted(path)} is too large a number; allowed is up to {LARGEST_EXACT}")
    return int(number) if number.is_integer() else number


def _string(node: Tree[Token], what: str) -> str:
    parts: list[str] = []
    for part in node.children[1:-1]:
        token = part.children[0] if isinstance(part, Tree) else part
        if not isinstance(token, Token):
            raise _refusal(part, f"{what} {ONLY_LITERALS}; a literal ${{ is written $${{")
        if "\n" in token:
            raise _refusal(part, f"{what} has a line break inside its quotes; write \\n")
        if token.type == "STRING_CHARS":
            parts.extend(_unescaped(text, token, what) for text in ESCAPE.split(token))
        else:  # $${...} and %%{...} stand for themselves, less their first character
            parts.append(token[1:])
    return "".join(parts)


def _unescaped(text: str, node: Node, what: str) -> str:
    """Text between escapes as it is, and an escape as the character that it stands for."""
    if not text.startswith("\\"):
        return text
    if text in ESCAPES:
        return ESCAPES[text]
    codepoint = int(text[2:], 16) if len(text) > 2 else -1
    if not 0 <= codepoint <= 0x10FFFF or 0xD800 <= codepoint <= 0xDFFF:
        raise _refusal(node, f"{what} has the escape {text}; allowed are {' '.join(ESCAPES)} \\uNNNN \\UNNNNNNNN")
    return chr(codepoint)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _refusal(node: Node, reason: str) -> NotLiteral:
    place = node if isinstance(node, Token) else node.meta
    return NotLiteral(place.line or 1, place.column or 1, reason)
