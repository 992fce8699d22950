"""A way to an API server that drops some connections, as a load balancer does while the server restarts."""

import contextlib
import socket
import threading
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import yaml

HOST = "127.0.0.1"
CHUNK = 65536


class DroppingProxy:
    """Passes bytes on to `target`; connections whose number (from 1) is in `dropped` are closed at once."""

    def __init__(self, target: tuple[str, int], dropped: frozenset[int]) -> None:
        self._target = target
        self._dropped = dropped
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self._passing: list[tuple[socket.socket, threading.Thread]] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        # Closing alone would leave `accept` waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        for connection, passing in self._passing:
            with contextlib.suppress(OSError):  # closed by its thread
                connection.shutdown(socket.SHUT_RDWR)
            passing.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                if self.accepted in self._dropped:
                    connection.close()
                    continue
                passing = threading.Thread(target=_pass_both_ways, args=(connection, self._target), daemon=True)
                passing.start()
                self._passing.append((connection, passing))


def _pass_both_ways(connection: socket.socket, target: tuple[str, int]) -> None:
    with connection, socket.create_connection(target) as onward:
        back = threading.Thread(target=_pass_on, args=(onward, connection), daemon=True)
        back.start()
        _pass_on(connection, onward)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side went away
        while content := source.recv(CHUNK):
            sink.sendall(content)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def dropping_proxy(kubeconfig: Path, directory: Path, dropped: frozenset[int]) -> Generator[tuple[Path, DroppingProxy]]:
    """The kubeconfig that leads through a proxy to where `kubeconfig` leads, and that proxy."""
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster = document["clusters"][0]["cluster"]
    address = urlsplit(cluster["server"])
    assert address.hostname is not None
    assert address.port is not None
    proxy = DroppingProxy((address.hostname, address.port), dropped)
    cluster["server"] = f"https://{HOST}:{proxy.port}"
    path = directory / "through-proxy.kubeconfig"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        yield path, proxy
    finally:
        proxy.close()
