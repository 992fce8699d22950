"""What is a list of literals in HCL, in which encoding, and what is not."""

from pathlib import Path

import pytest

from tasks.environment.variable_file import read_variable_file
from tests.tasks.environment.laptop_file import LAPTOP, Refused, refusal, require_refused

REFUSED: Refused = {
    "syntax": ("protected = false", "protected =", [":3:14: HCL syntax error: the line ends too early"]),
    "stray character": ("protected = false", "protected = false @", [":3:21: HCL syntax error at '@'"]),
    "open bracket": (
        "  question_bytes         = 8192\n}\n",
        "",
        ["HCL syntax error: the file ends here, but a bracket"],
    ),
    "block": ("agents = {", "agents {", [":50:1: a block is not allowed; write it with an equals sign"]),
    "two keys on a line": (
        "protected = false",
        "protected = false region = null",
        [":3:21: two keys on one line need"],
    ),
    "reference": ('".state"', "var.directory", ["laptop.data_directory must be a literal"]),
    "bare word": ('"pick_free"', "pick_free", ["laptop.when_port_taken must be a literal"]),
    "interpolation": ('".state"', '"${var.home}/.state"', ["laptop.data_directory must be a literal", "$${"]),
    "directive": ('".state"', '"%{ if true }a%{ endif }"', ["laptop.data_directory must be a literal"]),
    "function": ('".state"', 'pathexpand("~/.state")', ["laptop.data_directory must be a literal"]),
    "operator": ("= 160", "= 16 * 10", ["agents.answer_tokens must be a literal"]),
    "heredoc": ('".state"', "<<EOT\n.state\nEOT", ["laptop.data_directory must be a literal"]),
    "unknown escape": ('".state"', r'"\state"', [r"laptop.data_directory has the escape \s; allowed are \n"]),
    "surrogate": ('".state"', r'"\ud800"', [r"has the escape \ud800"]),
    "computed key": ("passages               = 5", "(passages) = 5", ["a key must be a name"]),
    "number beyond exactness": ("= 160", "= 1e300", ["agents.answer_tokens is too large a number"]),
    "number beyond floats": ("= 160", "= 1e999999999", ["agents.answer_tokens is too large a number"]),
    "brackets without end": ("= 160", f"= {'[' * 5000}{']' * 5000}", ["agents has brackets nested deeper than 16"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_a_list_of_literals_is_refused_by_line_and_column(
    variable_file: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_refused(variable_file, old, new, fragments)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (LAPTOP.replace(".state", "\xe9").encode("latin-1"), ":11: byte 0xe9 is not UTF-8"),
        (LAPTOP.encode("utf-8-sig"), ":1: starts with a byte order mark"),
        (b"\x00\x01\x02", ":1:1: HCL syntax error"),
    ],
    ids=["latin-1", "byte order mark", "binary"],
)
def test_a_file_in_another_encoding_is_refused(variable_file: Path, content: bytes, fragment: str) -> None:
    variable_file.write_bytes(content)
    assert f"{variable_file}{fragment}" in refusal(variable_file)


def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a \"b\" \\ c"', 'a "b" \\ c'),
        (r'"\\n\n\t"', "\\n\n\t"),
        (r'"\u00e9\U0001F600"', "é😀"),
        ('"é # // /* no comment */"', "é # // /* no comment */"),
        ('"$${home} %%{if}"', "${home} %{if}"),
    ],
)
def test_strings_have_the_value_that_hcl_gives_them(variable_file: Path, written: str, value: str) -> None:
    variable_file.write_text(LAPTOP.replace('".state"', written), encoding="utf-8")
    laptop = read_variable_file(variable_file).laptop
    assert laptop is not None
    assert laptop.data_directory == value


@pytest.mark.parametrize("written", ["1e3", "1000.0", "1.0e+3", "01000"])
def test_a_whole_number_is_whole_however_it_is_written(variable_file: Path, written: str) -> None:
    variable_file.write_text(LAPTOP.replace("= 160", f"= {written}"))
    assert read_variable_file(variable_file).agents.answer_tokens == 1000


def test_windows_line_ends_change_nothing(variable_file: Path) -> None:
    plain = read_variable_file(variable_file)
    variable_file.write_bytes(LAPTOP.replace("\n", "\r\n").encode())
    assert read_variable_file(variable_file) == plain
