"""From the text of a YAML file to plain values, each with the line it stands on; a key given twice is refused."""

import yaml

from tasks.environment.literals import Literals, NotLiteral, Path


def read_yaml_literals(text: str) -> Literals:
    """Parse one YAML document whose top is a mapping; an empty one has no values.

    Raises:
        NotLiteral: a syntax error, a key given twice or that is no string, or a top that is no mapping.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        literals = Literals()
        if node is None:
            return literals
        if not isinstance(node, yaml.MappingNode):
            raise NotLiteral(1, 1, "the file must be a mapping of key: value")
        _note_lines(node, (), literals.lines)
        literals.values.update(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise NotLiteral(*place, f"YAML syntax error: {error.problem}") from error
    return literals


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            mark = key.start_mark
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise NotLiteral(mark.line + 1, mark.column + 1, "a key must be a string; quote it")
            here = (*path, key.value)
            if here in lines:
                dotted = ".".join(map(str, here))
                raise NotLiteral(
                    mark.line + 1, mark.column + 1, f"{dotted} is given twice, first on line {lines[here]}"
                )
            lines[here] = mark.line + 1
            _note_lines(value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = value.start_mark.line + 1
            _note_lines(value, (*path, index), lines)
