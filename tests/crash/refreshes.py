"""Refreshes of one corpus in processes of their own, and what has to hold after them."""

import os
import re
import shutil
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path

from tests.crash.children import ended, start_child
from tests.crash.faults import Case, Fault
from tests.crash.reader import Reader
from tests.crash.refresh_points import INTERRUPTED
from tests.crash.stores import TriedStore, opened
from tests.local_environment import write_local_environment

DIMENSION = 384


class Refreshes:
    """Runs refreshes of `corpus` into `store`, and remembers what each embedded."""

    def __init__(self, directory: Path, models: Path, api_url: str, store: TriedStore) -> None:
        self.corpus = directory / "corpus"
        self.corpus.mkdir()
        self.store = store
        data = directory / "data"
        data.mkdir(exist_ok=True)
        (data / "models").symlink_to(models)
        self.variable_file = write_local_environment(directory / "environments", data, 1) / "local.tfvars"
        _set_store(self.variable_file, store.hcl)
        self._journals = directory / "journals"
        self._journals.mkdir()
        self.environ = {
            **os.environ,
            "AGENTIC_EKS_ENVIRONMENTS": str(self.variable_file.parent),
            "PREFECT_API_URL": api_url,
        }

    def reader(self) -> Reader:
        """Somebody who searches while the block lasts."""
        return Reader(self.store.settings, DIMENSION)

    def write(self, name: str, paragraphs: int) -> None:
        """Write a document of so many chunks."""
        # Each section is long enough to become a chunk of its own.
        text = "\n\n".join(
            f"## {name} {n}\n\n" + f"The {name} of chapter {n} is ripe. " * 10 for n in range(paragraphs)
        )
        (self.corpus / f"{name}.md").write_text(f"# {name}\n\n{text}\n")

    def begin(self) -> None:
        """Have a first generation of three documents serve, and remember both to go back to."""
        # Most chunks are of a document that stays: so a store may copy them all at once.
        for fruit, paragraphs in (("apple", 4), ("pear", 4), ("plum", 12)):
            self.write(fruit, paragraphs)
        code, _, output = self.run()
        assert code == 0, output
        shutil.copytree(self.corpus, self.corpus.with_name("corpus-kept"))
        self.store.keep()

    def go_back(self) -> None:
        """Bring back what was remembered, at the same paths: a document is identified by its own."""
        shutil.rmtree(self.corpus)
        shutil.copytree(self.corpus.with_name("corpus-kept"), self.corpus)
        self.store.go_back()

    def change(self) -> None:
        """Edit a document of the first generation, delete one, and add three."""
        self.write("apple", 5)
        (self.corpus / "pear.md").unlink()
        for fruit in ("quince", "damson", "mirabelle"):
            self.write(fruit, 18)  # more chunks than go into one call of `add`

    def run(self, case: Case | None = None, rollback_to: str | None = None) -> tuple[int, set[str], str]:
        """Refresh, or go back; returns the exit code, the ids of all chunks that were stored, and the output."""
        journal = self._journals / f"{len(list(self._journals.iterdir()))}.txt"
        code, output = ended(self.start(journal, case, rollback_to), case)
        return code, set(journal.read_text().split()), output

    def start(self, journal: Path, case: Case | None = None, rollback_to: str | None = None) -> "subprocess.Popen[str]":
        """The process of a refresh, which writes the ids of the chunks that it stored to `journal`."""
        journal.touch()
        given = {
            "journal": str(journal),
            "adds": f"{self.store.class_name}.add",
            "directory": str(self.corpus),
            "rollback_to": rollback_to,
        }
        return start_child("refresh", case, self.environ, given=given)

    def assert_converges_after(self, *struck: Case) -> None:
        """Refresh with each of these faults in turn and once more without one: all is there, and readers never miss it.

        What was stored before is not embedded again, but for what a struck call of `add` was to store.
        """
        with self.reader() as reader:
            stored: list[tuple[Case, set[str]]] = []
            for case in struck:
                code, embedded, output = self.run(case)
                assert (code == 0) == (case.fault is Fault.SLOW), output
                stored.append((case, embedded))
            code, embedded_last, output = self.run()
            assert code == 0, output

        reader.assert_nothing_was_missed()
        self.assert_index_is_what_the_manifest_says()
        for case, embedded in stored:
            if case.point.name != "add" or case == INTERRUPTED:
                assert not embedded & embedded_last, f"what was stored before {case} has been embedded again"

    def assert_index_is_what_the_manifest_says(self) -> None:
        """One generation is there, of the corpus as it is now, whole, once, and nothing of another."""
        with opened(self.store) as store:
            manifest = store.serving()
            assert manifest is not None
            hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in self.corpus.iterdir()}
            assert {record.path: record.content_hash for record in manifest.documents.values()} == hashes
            chunks = list(store.chunks(manifest.generation))
            assert len({chunk.chunk_id for chunk in chunks}) == len(chunks) == manifest.chunk_count
            per_document = Counter(chunk.document_uri for chunk in chunks)
            assert per_document == {uri: record.chunks for uri, record in manifest.documents.items()}
            assert {other.state for other in store.manifests()} == {"ready"}, "an interrupted build was left behind"
            assert len(store.manifests()) == 1
        assert self.store.leftovers() == set()


def _set_store(variable_file: Path, hcl: str) -> None:
    text, count = re.subn(r"(\n  store\s*= )[^\n]*", rf"\g<1>{hcl}", variable_file.read_text(encoding="utf-8"))
    assert count == 1
    variable_file.write_text(text, encoding="utf-8")
