"""Ports of loopback for servers that are told where to listen: no two processes of a user are given the same.

A port that the kernel chooses is free for a moment only. Until the server listens there, which takes it half a minute
on a busy machine, the kernel may give it to somebody else. So each process has a block of ports of its own, below those
that the kernel chooses from (32768 and up on Linux, 49152 and up on macOS), and holds it by a lock as long as it lives.
"""

import fcntl
import functools
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from tasks.cache_directory import cache_directory

HOST = "127.0.0.1"
FIRST = 20000
BLOCK = 200
BLOCKS = 63


class NoPorts(Exception):
    """There is no port to give; says why."""


def free_port() -> int:
    """A port of loopback on which nothing listens, and which no other process is given while this one lives.

    Raises:
        NoPorts: other processes hold all blocks, or something listens on every port of this one's.
    """
    block = _block(os.getpid())
    for _ in range(BLOCK):
        port = next(block)
        if _is_free(port):
            return port
    raise NoPorts(f"something listens on each of the {BLOCK} ports that this process may use")


@functools.cache
def _block(_process: int) -> Iterator[int]:
    """The ports of the block that this process holds, in turn; a forked one gets another."""
    directory = cache_directory("ports")
    directory.mkdir(parents=True, exist_ok=True)
    for first in range(FIRST, FIRST + BLOCK * BLOCKS, BLOCK):
        if _held(directory / str(first)):
            return itertools.cycle(range(first, first + BLOCK))
    raise NoPorts(f"other processes hold all {BLOCKS} blocks of ports (see {directory})")


def _held(path: Path) -> bool:
    """Lock the file for as long as this process lives, unless another process has it."""
    # Never closed by this process: that would end the lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
