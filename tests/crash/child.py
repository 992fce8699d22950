"""Runs a flow in a process of its own with one fault injected: `python -m tests.crash.child '<json>'`.

The commit points are wrapped from outside, so that the product carries no switch for its own failure.
"""

import functools
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.crash.faults import STRUCK, Fault
from tests.crash.struck_flows import FLOWS

SLOW_SECONDS = 3.0


class InjectedError(OSError):
    """What a commit point raises when its fault is an error."""


def strike(fault: Fault, call: Callable[[], Any]) -> Any:
    """Do `call` as the fault has it."""
    if fault is Fault.KILLED_BEFORE:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault is Fault.ERROR:
        raise InjectedError("injected error")
    if fault is Fault.SLOW:
        time.sleep(SLOW_SECONDS)
    result = call()
    if fault is Fault.KILLED_AFTER:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault is Fault.DONE_BUT_TIMED_OUT:
        raise TimeoutError("injected timeout of a call that was done")
    return result


def wrap(target: str, around: Callable[[Callable[[], Any], tuple[Any, ...]], Any]) -> None:
    """Replace the function or method `module:qualified.name` by `around(call, arguments)`."""
    module, _, qualified = target.partition(":")
    owner: Any = importlib.import_module(module)
    *path, name = qualified.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(lambda: original(*args, **kwargs), args)

    setattr(owner, name, wrapped)


def inject(target: str, fault: Fault, nth: int) -> None:
    """Let `fault` strike at the n-th call (from 1) of `target`."""
    calls = 0

    def around(call: Callable[[], Any], _: tuple[Any, ...]) -> Any:
        nonlocal calls
        calls += 1
        if calls != nth:
            return call()
        # Once its process is killed it can say nothing.
        print(STRUCK, flush=True)
        return strike(fault, call)

    wrap(target, around)


def record_embedded(journal: Path, adds: str) -> None:
    """Write the id of every chunk that the store's method `adds` took to `journal`, a line each."""

    def around(call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        result = call()
        with journal.open("a", encoding="utf-8") as file:
            file.writelines(f"{embedded.chunk.chunk_id}\n" for embedded in arguments[2])
        return result

    wrap(adds, around)


def main() -> None:
    """Inject what the argument says and run the flow that it names."""
    given = json.loads(sys.argv[1])
    if "journal" in given:
        record_embedded(Path(given["journal"]), given["adds"])
    if given["case"]:
        inject(given["case"]["point"]["target"], Fault(given["case"]["fault"]), given["case"]["call"])
    FLOWS[given["flow"]](given)


if __name__ == "__main__":
    main()
