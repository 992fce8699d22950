"""Values of a plan, of which some are known after the apply only."""

import pytest

from tasks.terraform.plan_document import Action, ResourceChange
from tasks.terraform.planned_attributes import UNTIL_APPLY, Attributes, planned, present

DOMAIN = Attributes(
    {"name": "search", "encrypt": [{"enabled": True}], "logs": [{"kind": "audit"}, {"kind": "slow"}], "subnets": []},
    {"arn": True, "encrypt": [{"key": True}], "logs": [{}, {"group": True}], "subnets": True},
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "search"),
        (("encrypt", 0, "enabled"), True),
        (("encrypt", 0, "key"), UNTIL_APPLY),
        (("arn",), UNTIL_APPLY),
        (("arn", 0, "anything"), UNTIL_APPLY),
        (("subnets",), UNTIL_APPLY),
        (("nothing",), None),
        (("nothing", 0, "here"), None),
        (("encrypt", 1, "enabled"), None),
        (("name", 0), None),
    ],
)
def test_a_value_is_known_or_not_or_absent(path: tuple[str | int, ...], value: object) -> None:
    assert DOMAIN.at(*path) == value


def test_blocks_know_what_is_unknown_in_them() -> None:
    audit, slow = DOMAIN.blocks("logs")
    assert (audit.at("kind"), audit.at("group")) == ("audit", None)
    assert (slow.at("kind"), slow.at("group")) == ("slow", UNTIL_APPLY)


@pytest.mark.parametrize("path", ["subnets", "nothing", "name"])
def test_what_is_unknown_or_no_block_has_none(path: str) -> None:
    assert DOMAIN.blocks(path) == []


def test_what_is_made_has_no_present_and_what_goes_has_no_future() -> None:
    made = ResourceChange("a.b", "root", "a", "b", Action.CREATE, None, {"name": "new"}, {"id": True}, {})
    gone = ResourceChange("a.b", "root", "a", "b", Action.DELETE, {"name": "old"}, None, {}, {})
    assert (present(made), planned(gone)) == (None, None)
    assert planned(made) == Attributes({"name": "new"}, {"id": True})
    assert present(gone) == Attributes({"name": "old"}, {})
