"""API keys, for their administrator: `python -m agents.keys make|list|rotate|revoke|block|unblock`.

The settings file that AGENTS_SETTINGS names says which database the keys are in. What is changed holds for the next
request at every replica.
"""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Callable, Sequence

from agents.access.api_key import make_key, prefix_of
from agents.caller import SCOPES
from agents.settings import Settings
from agents.settings_file import SETTINGS_VARIABLE, InvalidSettings, read_settings_file
from agents.state.api_keys import ApiKey, ApiKeys, Revocations
from agents.state.clock import moment, now_ms
from agents.state.database import StateDatabase, StateUnavailable

DAYS = 90
OVERLAP_HOURS = 24
MOST_DAYS = 3650
_HOUR_MS = 60 * 60 * 1000


class UnknownKey(Exception):
    """There is no key with this prefix."""


async def make(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """Make a key; the last line is the key itself, which is shown this once."""
    key, kept = make_key(arguments.owner, arguments.scopes, arguments.days)
    await ApiKeys(database).add(kept)
    return [_line(kept), "API key (shown only once; store it now):", key]


async def listed(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """One line per key."""
    keys = await ApiKeys(database).listed(arguments.owner)
    return [_line(key) for key in keys] or ["There are no keys."]


async def rotate(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """Make a key that takes over from another; the old one is valid for some hours more."""
    keys = ApiKeys(database)
    old = await _find(keys, arguments.prefix)
    key, kept = make_key(old.owner, old.scopes, arguments.days)
    await keys.add(kept)
    await keys.expire(old.prefix, now_ms() + int(arguments.overlap_hours * _HOUR_MS))
    lines = [_line(await _find(keys, old.prefix)), _line(kept)]
    return [*lines, "New API key (shown only once; store it now):", key]


async def revoke(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """End a key at once."""
    keys = ApiKeys(database)
    key = await _find(keys, arguments.prefix)
    await Revocations(database).revoke(f"ak_{key.prefix}")
    return [_line(await _find(keys, key.prefix))]


async def block(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """Block a caller, whatever it signs in with."""
    await Revocations(database).revoke(arguments.caller)
    return [f"{arguments.caller} is blocked."]


async def unblock(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    """Let a blocked caller in again."""
    was = await Revocations(database).restore(arguments.caller)
    return [f"{arguments.caller} is no longer blocked." if was else f"{arguments.caller} was not blocked."]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 the database failed, 2 the input was wrong."""
    arguments = _parser().parse_args(words)
    try:
        state = read_settings_file(Settings, SETTINGS_VARIABLE, os.environ).access.state
        if state is None:
            raise InvalidSettings("the settings have no access.state: there is no database that keys could be in")
        lines = asyncio.run(_run(StateDatabase(state.opened_with()), arguments))
    except (InvalidSettings, UnknownKey) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 2
    except StateUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    print("\n".join(lines))  # noqa: T201 - a command
    return 0


async def _run(database: StateDatabase, arguments: argparse.Namespace) -> list[str]:
    try:
        return await arguments.command(database, arguments)
    finally:
        await database.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agents.keys", description="API keys of the agent service.")
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: object, purpose: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=purpose, description=purpose)
        added.set_defaults(command=run)
        return added

    making = command("make", make, "make a key, and show it once")
    making.add_argument("owner", type=_owner, help="who it is for; keys of one owner are one caller")
    making.add_argument("--scopes", nargs="+", choices=SCOPES, default=["ask", "search", "feedback"])
    rotating = command("rotate", rotate, "make a key that takes over from another")
    rotating.add_argument(
        "--overlap-hours", type=_up_to(24 * MOST_DAYS), default=OVERLAP_HOURS, help="how long the old one stays valid"
    )
    for parser_of_new in (making, rotating):
        parser_of_new.add_argument("--days", type=_up_to(MOST_DAYS), default=DAYS, help="how long the new one is valid")
    for parser_of_old in (rotating, command("revoke", revoke, "end a key at once")):
        parser_of_old.add_argument("prefix", help="ak_ and the twelve digits behind it")
    command("list", listed, "show all keys, without their secrets").add_argument("--owner")
    command("block", block, "block a caller").add_argument("caller", help="such as person:<sub>")
    command("unblock", unblock, "unblock a caller").add_argument("caller")
    return parser


def _owner(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 128:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid name of 1 to 128 printable characters")
    return text


def _up_to(most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a valid number from 0 to {most:g}")
        return value

    return number


async def _find(keys: ApiKeys, named: str) -> ApiKey:
    # Whoever pastes the whole key means the same.
    prefix = prefix_of(named) or named.removeprefix("ak_")
    key = await keys.find(prefix)
    if key is None:
        raise UnknownKey(f"there is no key ak_{prefix}; `python -m agents.keys list` shows all")
    return key


def _line(key: ApiKey) -> str:
    if key.revoked_ms is not None:
        state = f"revoked {moment(key.revoked_ms):%Y-%m-%d %H:%M}"
    else:
        word = "expired" if key.expires_ms <= now_ms() else "expires"
        state = f"{word} {moment(key.expires_ms):%Y-%m-%d %H:%M}"
    return f"ak_{key.prefix}  {key.owner}  {' '.join(sorted(key.scopes))}  {state}"


if __name__ == "__main__":
    sys.exit(main())
