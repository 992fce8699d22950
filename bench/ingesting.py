"""Ways to bring documents into OpenSearch, each a process that is timed, or killed, and whose index is read."""

import json
import shutil
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
from opensearchpy import OpenSearch, helpers

from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from bench.options import BENCH_DIRECTORY, MeasurementFailed
from bench.peer_corpus import MARK
from tasks.environment import REPOSITORY

PEERS = REPOSITORY / "requirements" / "bench-peers.txt"
SCRIPTS = REPOSITORY / "bench" / "peer_scripts"
SECONDS_PER_INGEST = 900
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Work:
    """What each way is given: where documents, server, embedding endpoint and its own state are."""

    corpus: str
    opensearch: str
    index: str
    endpoint: str
    model: str
    dimension: int
    batch: int
    state: str


@dataclass(frozen=True)
class Way:
    """One way: the command that ingests, and how its index is read. `copies_first` says that it builds beside."""

    name: str
    command: tuple[str, ...]
    work: Work
    read: Callable[[Work], Counter[tuple[str, str]]]
    copies_first: bool = False

    def ingest(self) -> float:
        """Bring the index up to date with the documents; returns the seconds that it took, imports apart.

        Raises:
            MeasurementFailed: it failed.
        """
        done = subprocess.run(
            [*self.command, json.dumps(asdict(self.work))],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_PER_INGEST,
        )
        if done.returncode:
            raise MeasurementFailed(f"{self.name} failed:\n{done.stderr[-3000:].strip()}")
        return float(json.loads(done.stdout.splitlines()[-1])["seconds"])

    def ingest_killed(self, written: int) -> bool:
        """Begin the same, and kill it as soon as `written` more passages are in the index; False: it ended before."""
        held = self._stored()
        # What builds beside copies all that is there before it writes anything new.
        wanted = held + written + (sum(self.read(self.work).values()) if self.copies_first else 0)
        process = subprocess.Popen(
            [*self.command, json.dumps(asdict(self.work))],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = monotonic() + SECONDS_PER_INGEST
        while process.poll() is None and monotonic() < deadline and self._stored() < wanted:
            sleep(SECONDS_BETWEEN_LOOKS)
        process.kill()
        return process.wait() < 0

    def _stored(self) -> int:
        index = f"{self.work.opensearch}/{self.work.index}*"
        httpx.post(f"{index}/_refresh", timeout=60, trust_env=False).raise_for_status()
        return int(httpx.get(f"{index}/_count", timeout=60, trust_env=False).raise_for_status().json()["count"])


def ways(shared: Mapping[str, Any], directory: Path) -> tuple[Way, ...]:
    """The product's and its peers'; the documents and the state of each lie in `directory`, which is empty."""
    python = str(_peers_environment())

    def work(index: str) -> Work:
        corpus, state = directory / "corpora" / index, directory / f"{index}.state"
        return Work(corpus=str(corpus), index=index, state=str(state), **shared)

    own = (sys.executable, "-m", "bench.own_ingest")
    return (
        Way("agentic-eks", own, work("own"), _own_passages, copies_first=True),
        Way(
            "LlamaIndex",
            (python, str(SCRIPTS / "llama_index_ingest.py")),
            work("llama-index"),
            _passages("content", "path"),
        ),
        Way(
            "LangChain", (python, str(SCRIPTS / "langchain_ingest.py")), work("langchain"), _passages("text", "source")
        ),
    )


def _peers_environment() -> Path:
    """The Python of the environment that holds the peers; made and filled when it is not there."""
    directory = BENCH_DIRECTORY / "peers-environment"
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
        installed = subprocess.run(
            [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", PEERS],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            shutil.rmtree(directory)
            raise MeasurementFailed(f"the peers cannot be installed:\n{installed.stderr[-2000:]}")
    return python


def _own_passages(work: Work) -> Counter[tuple[str, str]]:
    with closing(open_store(OpenSearchSettings(work.opensearch, work.index, shards=1, replicas=0))) as store:
        serving = store.serving()
        if serving is None:
            return Counter()
        chunks = list(store.chunks(serving.generation))
    return Counter((chunk.path, mark) for chunk in chunks for mark in MARK.findall(chunk.text))


def _passages(text: str, path: str) -> Callable[[Work], Counter[tuple[str, str]]]:
    """Reads an index of a peer, which has the words in the field `text`, and the file's name in its metadata."""

    def read(work: Work) -> Counter[tuple[str, str]]:
        with closing(OpenSearch(work.opensearch, timeout=60)) as client:
            client.indices.refresh(index=work.index)
            # A whole document cannot be read where k-NN 3.5.0 leaves the vector out of it.
            query = {"_source": [text, f"metadata.{path}"]}
            sources = [hit["_source"] for hit in helpers.scan(client, index=work.index, query=query)]
        return Counter((source["metadata"][path], mark) for source in sources for mark in MARK.findall(source[text]))

    return read
