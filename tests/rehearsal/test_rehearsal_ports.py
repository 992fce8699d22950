"""Ports that are given to servers before they listen."""

import socket
import subprocess
import sys

from rehearsal.ports import BLOCK, HOST, free_port
from tasks.environment import REPOSITORY

OTHERS = "from rehearsal.ports import free_port\nprint(*(free_port() for _ in range(50)), flush=True)\ninput()"


def test_no_two_processes_are_given_the_same() -> None:
    others = [
        subprocess.Popen(
            [sys.executable, "-c", OTHERS], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        theirs = [set(map(int, process.stdout.readline().split())) for process in others if process.stdout]
        ours = {free_port() for _ in range(BLOCK)}
    finally:
        for process in others:
            process.communicate("\n", timeout=60)
    assert [len(each) for each in theirs] == [50, 50]
    assert not theirs[0] & theirs[1]
    assert not ours & (theirs[0] | theirs[1])


def test_a_port_on_which_something_listens_is_left_out() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, free_port()))
        listener.listen()
        assert listener.getsockname()[1] not in {free_port() for _ in range(BLOCK)}
