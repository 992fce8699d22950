"""A run of a deployment in the terminal: what it and its stages say, how far it is, and how it ended."""

import time
from datetime import UTC, datetime

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from rich.console import Console
from rich.text import Text

from tasks.runs.watched import RunEvent, WatchedRun

POLL_SECONDS = 1.0
# What the processes of the run logged last is with the server this long after the end.
LAST_LINES_SECONDS = 4.0
STAGE_WIDTH = 12
PROGRESS_STEP = 25
_LOOK = {
    "line": (" ", "dim"),
    "warning": ("!", "yellow"),
    "error": ("✗", "red"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
}


def follow(
    client: SyncPrefectClient,
    run: FlowRun,
    console: Console,
    *,
    own_lines: bool = False,
    within_seconds: float = float("inf"),
) -> WatchedRun:
    """Show what `run` does until it is over, or `within_seconds` have passed; returns it as it was then.

    Its stages' lines are shown, and with `own_lines` also those of the run itself.
    """
    watched = WatchedRun(client, run, own_lines)
    reported = -1.0
    given_up = time.monotonic() + within_seconds
    with console.status("waiting for the worker", spinner="dots") as status:
        while not watched.over and time.monotonic() < given_up:
            for event in watched.poll():
                _print(event, console)
            progress = watched.progress()
            if progress is not None:
                status.update(_running(progress.stage, progress.started, progress.percent))
                percent = -1.0 if progress.percent is None else progress.percent
                # Without a terminal there is no line that changes in place: a few lines stand for it.
                if not console.is_terminal and (percent < reported or percent >= reported + PROGRESS_STEP):
                    if 0 < percent < 100:
                        _print(RunEvent("line", progress.stage, f"{percent:.0f} %"), console)
                    reported = percent
            time.sleep(POLL_SECONDS)
        deadline = time.monotonic() + LAST_LINES_SECONDS
        while watched.over and not watched.last_line_seen and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 2)
            for event in watched.poll():
                _print(event, console)
    return watched


def explain_failure(watched: WatchedRun, console: Console) -> None:
    """Say which stage failed and why; a component that did not start has put the end of its log into the reason."""
    run = watched.run
    if run.state_type == StateType.CANCELLED:
        console.print(f"the run {run.name!r} was cancelled", style="red", markup=False, highlight=False)
        return
    failed = watched.failed
    message = (failed.state.message if failed.state else None) or "it says nothing"
    reason = message.removeprefix("Flow run encountered an exception: ")
    console.print(f"{watched.stage(failed)} failed: {reason}", style="red", markup=False, highlight=False)


def _running(stage: str, started: datetime | None, percent: float | None) -> Text:
    seconds = (datetime.now(UTC) - started).total_seconds() if started else 0
    done = "" if percent is None else f"{percent:.0f} %  "
    return Text(f"{stage:<{STAGE_WIDTH}}{done}{seconds:.0f} s")


def _print(event: RunEvent, console: Console) -> None:
    mark, style = _LOOK[event.kind]
    text = f"{event.seconds:.1f} s" if event.kind == "done" else event.text
    line = Text.assemble((f"{mark} {event.stage:<{STAGE_WIDTH}}", "" if style == "dim" else style), (text, style))
    # A terminal shows one line each; a file or a pipe gets all of it.
    console.print(
        line, no_wrap=True, overflow="ellipsis" if console.is_terminal else "ignore", crop=console.is_terminal
    )
