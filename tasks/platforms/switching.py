"""Replacing a process without losing a request: the old one and the new one share a socket that supervisord keeps open.

A connection waits in the socket until either of them takes it; the old one goes once the new one takes them.
"""

import time
from pathlib import Path

from tasks.platforms import Component, NotReady
from tasks.platforms.processes import ProgramState, Supervisor
from tasks.platforms.supervisor_files import SLOTS, slot_name, switched_program_file

PAUSE_SECONDS = 0.1


class Switch:
    """The processes of one switched component, called slots; one serves, during a change both do."""

    def __init__(self, component: Component, supervisor: Supervisor, logs: Path) -> None:
        self._component = component
        self._supervisor = supervisor
        self._file = switched_program_file(component, logs, supervisor.directory)
        self._logs = logs

    def to_new_process(self) -> None:
        """Have a process that was started now serve, and no other.

        Raises:
            NotReady: it ended, or does not accept requests in time; the previous process is still serving.
        """
        if not self._supervisor.holds(self._component.name, self._file):
            self._supervisor.put(self._component.name, self._file)
        old = self._alive()
        for superfluous in old[1:]:
            # A change that was killed half-way left both; the older one is known to work.
            self._supervisor.end(self._process(superfluous))
        free = next(slot for slot in SLOTS if slot not in old[:1])
        self._start(free)
        for slot in old[:1]:
            self._supervisor.end(self._process(slot))

    @property
    def serving(self) -> ProgramState | None:
        """What supervisord knows of the process that serves; the older one while two do."""
        alive = self._alive()
        return self._supervisor.state(self._process(alive[0] if alive else SLOTS[0]))

    @property
    def log(self) -> Path:
        """Where the output of the process that serves goes."""
        alive = self._alive()
        return self._log(alive[0] if alive else SLOTS[0])

    def _start(self, slot: int) -> None:
        ready = self._supervisor.directory / f"{slot_name(self._component.name, slot)}.ready"
        ready.unlink(missing_ok=True)
        self._supervisor.start(self._process(slot))
        deadline = time.monotonic() + self._component.ready_seconds
        while not ready.exists():
            state = self._supervisor.state(self._process(slot))
            if state is None or not state.alive or time.monotonic() > deadline:
                self._give_up(slot, state)
            time.sleep(PAUSE_SECONDS)

    def _give_up(self, slot: int, state: ProgramState | None) -> None:
        if state is not None and state.alive:
            self._supervisor.end(self._process(slot))
        raise NotReady(
            f"a new process of {self._component.name!r} did not accept requests within "
            f"{self._component.ready_seconds} s; the previous process is still serving. The new one's log is "
            f"{str(self._log(slot))!r}"
        )

    def _alive(self) -> list[int]:
        """The slots that run, the older one first."""
        states = {slot: self._supervisor.state(self._process(slot)) for slot in SLOTS}
        running = {slot: state for slot, state in states.items() if state is not None and state.alive}
        return sorted(running, key=lambda slot: (running[slot].started is None, running[slot].started))

    def _process(self, slot: int) -> str:
        return f"{self._component.name}:{slot_name(self._component.name, slot)}"

    def _log(self, slot: int) -> Path:
        return self._logs / f"{slot_name(self._component.name, slot)}.log"
