"""One process at a time, by a lock on a file that the system frees when its holder ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tasks.runs.log import run_log


@contextmanager
def file_lock(path: Path, holder: str = "") -> Generator[None]:
    """Hold the lock of `path` for the block, waiting for it as long as another process holds it.

    The file names the `holder` and its process, for whoever waits. Nothing has to be cleaned up after a holder that was
    killed: the lock went with it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            run_log().info("waiting for %r, which is held by %s", str(path), lock.read() or "another process")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f"{holder or 'a process'} ({os.getpid()})")
        lock.flush()
        yield
