"""The documents that a refresh is measured on: HTML pages that a Linux distribution ships."""

from collections.abc import Sequence
from pathlib import Path

from agents.knowledge.chunking import cut
from agents.knowledge.parsing import parse
from agents.knowledge.source_opening import open_source
from agents.knowledge.tokenizer import load_tokenizer
from bench.options import NotMeasurable
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Source
from tasks.refresh.ray_data import EmbeddingWork

PACKAGED = ("/usr/share/doc", "postgresql-doc-*/html")
LEAST_PAGES = 1000
QUICK_PAGES = 100


def html_corpus(directory: Path | None, quick: bool) -> Source:
    """The pages of `directory`, or of Debian's package postgresql-doc; about a hundred of them when `quick`.

    Raises:
        NotMeasurable: there are no such pages, or too few.
    """
    found = directory or next(iter(sorted(Path(PACKAGED[0]).glob(PACKAGED[1]))), None)
    if found is None:
        raise NotMeasurable(
            "the refresh is measured on the pages of Debian's package postgresql-doc, which is not installed: "
            "apt-get install postgresql-doc, or give another directory of HTML pages by --corpus"
        )
    pages = sorted(path.relative_to(found).as_posix() for path in found.rglob("*.html"))
    if len(pages) < LEAST_PAGES:
        raise NotMeasurable(f"{str(found)!r} holds {len(pages)} HTML pages; at least {LEAST_PAGES} are needed")
    include = tuple(pages[:: len(pages) // QUICK_PAGES]) if quick else ("**/*.html",)
    return Source(name=corpus_name(found), uri=found.resolve().as_uri(), include=include)


def corpus_name(directory: Path) -> str:
    """What to call a corpus without saying where it lies: `postgresql-doc-15` of `.../postgresql-doc-15/html`."""
    return directory.parent.name if directory.name == "html" else directory.name


def searchable_texts(source: Source, work: EmbeddingWork) -> list[str]:
    """What the embedding model reads of every chunk of the source, in order, read, parsed and cut in this process."""
    reader = open_source(source.name, source.uri, source.include, REPOSITORY)
    tokenizer = load_tokenizer(work.tokenizer_file)
    texts: list[str] = []
    for ref in reader.list():
        document = parse(ref, reader.read(ref, work.max_document_bytes))
        texts += [chunk.searchable_text for chunk in cut(ref, document, "", work.bounds, tokenizer)]
    return texts


def write_documents(directory: Path, texts: Sequence[tuple[str, str]]) -> Source:
    """Write named texts as a source of plain text files."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts:
        (directory / f"{name}.txt").write_text(text, encoding="utf-8")
    return Source(name=directory.name, uri=directory.as_uri())
