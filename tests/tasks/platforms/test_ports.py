import os
import re
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.platforms.ports import PortTaken, choose_ports, is_free

HOST = "127.0.0.1"


def nobody(pid: int) -> bool:
    return False


@contextmanager
def listening(port: int = 0) -> Generator[int]:
    with socket.create_server((HOST, port)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with listening() as port:
        return port


def test_wanted_port_is_taken_when_free(free_port: int, tmp_path: Path) -> None:
    assert choose_ports({"chat": free_port}, HOST, "refuse", tmp_path / "ports.json", nobody) == {"chat": free_port}


def test_refusal_names_the_process_and_what_to_do(tmp_path: Path) -> None:
    with listening() as port, pytest.raises(PortTaken) as refusal:
        choose_ports({"chat": port}, HOST, "refuse", tmp_path / "ports.json", nobody)

    assert re.search(rf"port {port} for 'chat' is taken by process {os.getpid()} \(.+\)", str(refusal.value))
    assert "laptop.when_port_taken" in str(refusal.value)


def test_next_free_port_is_picked_and_kept_when_the_wanted_one_is_free_again(tmp_path: Path) -> None:
    record = tmp_path / "ports.json"
    with listening() as port:
        first = choose_ports({"chat": port}, HOST, "pick_free", record, nobody)
    again = choose_ports({"chat": port}, HOST, "pick_free", record, nobody)

    assert first["chat"] > port
    assert again == first


def test_a_port_on_which_we_listen_ourselves_is_not_taken(tmp_path: Path) -> None:
    with listening() as port:
        chosen = choose_ports({"chat": port}, HOST, "refuse", tmp_path / "ports.json", lambda pid: pid == os.getpid())

    assert chosen == {"chat": port}


def test_a_port_that_two_want_is_given_to_the_first(free_port: int, tmp_path: Path) -> None:
    wanted, record = {"gateway": free_port, "worker": free_port}, tmp_path / "ports.json"

    chosen = choose_ports(wanted, HOST, "pick_free", record, nobody)

    assert chosen["gateway"] == free_port
    assert chosen["worker"] > free_port
    assert choose_ports(wanted, HOST, "pick_free", record, nobody) == chosen
    with pytest.raises(PortTaken, match=rf"port {free_port} for 'worker' is that of 'gateway', too"):
        choose_ports(wanted, HOST, "refuse", tmp_path / "others.json", nobody)


def test_no_port_is_given_to_two(tmp_path: Path) -> None:
    with listening() as port:
        wanted = {"gateway": port, "embedding": port + 1, "chat": port + 2}
        chosen = choose_ports(wanted, HOST, "pick_free", tmp_path / "ports.json", nobody)

    assert len(set(chosen.values())) == 3
    assert chosen["gateway"] > port + 2


def test_new_wish_in_the_variable_file_beats_the_record(free_port: int, tmp_path: Path) -> None:
    record = tmp_path / "ports.json"
    with listening() as other:
        choose_ports({"chat": other}, HOST, "pick_free", record, nobody)

    assert choose_ports({"chat": free_port}, HOST, "pick_free", record, nobody) == {"chat": free_port}


@pytest.mark.parametrize("content", ["", "{", '{"chat": 7}', "\0\1"])
def test_damaged_record_is_made_anew(content: str, free_port: int, tmp_path: Path) -> None:
    record = tmp_path / "ports.json"
    record.write_text(content)

    assert choose_ports({"chat": free_port}, HOST, "refuse", record, nobody) == {"chat": free_port}


def test_two_records_do_not_share_a_port_that_one_listens_on(free_port: int, tmp_path: Path) -> None:
    one = choose_ports({"chat": free_port}, HOST, "pick_free", tmp_path / "one.json", nobody)
    with listening(one["chat"]):
        other = choose_ports({"chat": free_port}, HOST, "pick_free", tmp_path / "other.json", nobody)

    assert one != other


def test_free_means_that_a_server_can_listen(free_port: int) -> None:
    assert is_free(HOST, free_port)
    with listening(free_port):
        assert not is_free(HOST, free_port)
