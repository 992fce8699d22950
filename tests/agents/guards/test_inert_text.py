import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.guards.inert_text import inert
from tests.agents.rendered import addresses_outside_code, live_elements

TEXTS = {
    "image": ("![x](https://evil.test/?q=1)", "! [x] (`https://evil.test/?q=1`)"),
    "link": ("[click](javascript:run)", "[click] (`javascript:run`)"),
    "reference": ("[a][b]", "[a] [b]"),
    "definition": ("[b]: https://evil.test", "[b] : `https://evil.test`"),
    "tag": ("<img src=x onerror=alert(1)>", "`<img src=x onerror=alert(1)>`"),
    "tag that is not closed": ("<svg/onload=alert(1)", "`<svg/onload=alert(1)`"),
    "address in brackets": ("<https://evil.test>", "`<https://evil.test>`"),
    "address": ("It listens at http://127.0.0.1:8080.", "It listens at `http://127.0.0.1:8080`."),
    "address after an escape": ("\\https://evil.test", "`https://evil.test`"),
    "address behind a letter": ("awww.evil.test", "a`www.evil.test`"),
    "address behind a number": ("1https://evil.test", "1`https://evil.test`"),
    "address in emphasis": ("_https://evil.test_", "_`https://evil.test`_"),
    "code": ("Run `make up`.", "Run `make up`."),
    "code in two ticks": ("`` a`b ``", "` a'b `"),
    "lonely tick": ("a ` b", "a ' b"),
    "block of code": ("```sh\nmake up\n\nmake down\n```", "`make up`\n`make down`"),
    "block of code in tildes": ("~~~a`b\nmake up\n~~~", "`make up`"),
    "code over cells": ("| `a | <img src=x> | b` |", "| a | `<img src=x>` | b |"),
    "shell pipe": ("`kubectl get pods | grep x`", "`kubectl get pods | grep x`"),
    "placeholder": ("-p version=<digest>", "-p version=`<digest>`"),
    "comparison": ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    "hidden": ("!\u200b[x](\u202ehttps://evil.test)", "! [x] (`https://evil.test`)"),
    "reference to a character": ("http&#58;//evil.test", "`http://evil.test`"),
    "reference to a reference": ("&amp;lt;img src=x&amp;gt;", "`<img src=x>`"),
    "reference to a hidden character": ("!&#8203;[x](a)", "! [x] (a)"),
    "parameters of an address": ("https://a.test/?b=1&copy=2", "`https://a.test/?b=1&copy=2`"),
    "tags of Unicode": ("Yes.\U000e0049\U000e0067", "Yes."),
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=TEXTS)
def test_what_is_shown(text: str, shown: str) -> None:
    assert inert(text) == shown


MARKS = [
    *"`[]()!<>\\|_*:#'\"\t a",
    "``",
    "```",
    "~~~",
    "    ",
    "\n",
    "\n\n",
    "|-|-|\n",
    "- ",
    "\u200b",
    "\u202e",
    "&lt;",
]
ATTACKS = ["https://evil.test/", "www.evil.test", "javascript:a", "<img src=x>", "![x](http://e.t)", "<a href=x>"]
HTML = ["</code>", "<!--", "-->", "<script>"]
PIECES = st.sampled_from([*MARKS, *ATTACKS, *HTML])


@given(st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=3))
@example(["```\na\n```", "```\n![x](http://e.t)\n```"])
@example(["| a | b |\n|-|-|\n| `x | <img src=x> | y` |"])
@settings(max_examples=600, deadline=None)
def test_nothing_of_an_answer_loads_links_or_runs(sentences: list[str]) -> None:
    answer = "".join(
        f"{separator}{inert(text)} [1]" for separator, text in zip(["", "\n\n", " "], sentences, strict=False)
    )
    assert live_elements(answer) == []
    assert addresses_outside_code(answer) == []


@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=200, deadline=None)
def test_what_is_inert_stays_as_it_is(text: str) -> None:
    assert inert(inert(text)) == inert(text)
