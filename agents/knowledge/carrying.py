"""What a build takes over from other generations, with its vectors: nothing of it is embedded again."""

from collections.abc import Mapping, Sequence

from agents.knowledge.generation import Manifest
from agents.knowledge.reuse import under_own_address
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import RefreshPlan, ScannedDocument, is_as_recorded


def take_over_interrupted(store: KnowledgeStore, manifest: Manifest, plan: RefreshPlan) -> None:
    """Copy what other generations hold of the wanted documents, and drop the interrupted builds among them.

    Others are interrupted builds of other inputs, and what was completed but does not serve: refused by the gate, or
    rolled back from.
    """
    wanted = {document.ref.uri: document for document in plan.parse}
    for other in store.manifests():
        if other.generation == manifest.generation:
            continue
        if other.state == "building":
            # Its index may be missing, as in `begin_generation`.
            store.create(other)
        if (other.chunker, other.embedding) == (manifest.chunker, manifest.embedding):
            useful = _useful(store, other, manifest, wanted)
            if useful:
                store.copy(other.generation, manifest.generation, useful)
            if other.state == "ready":
                wanted = {uri: document for uri, document in wanted.items() if uri not in set(useful)}
        if other.state == "building":
            store.drop(other.generation)


def copy_unchanged(store: KnowledgeStore, generation: str, plan: RefreshPlan) -> int:
    """Copy the chunks of all documents that need no embedding from the base generation; returns how many chunks.

    Documents that an interrupted run has copied already are not copied again. Copies of another document that cannot
    be read now get chunks of their own: that document may have changed.
    """
    return copy_missing(store, generation, plan, [document.ref.uri for document in (*plan.keep, *plan.carry)])


def stored_chunk_ids(store: KnowledgeStore, generation: str, plan: RefreshPlan) -> frozenset[str]:
    """The ids of all chunks that a build has written so far of the documents to parse."""
    wanted = {document.ref.uri for document in plan.parse}
    if all(uri not in wanted for uri, _ in store.chunk_counts(generation)):
        return frozenset()
    return frozenset(chunk.chunk_id for chunk in store.chunks(generation) if chunk.document_uri in wanted)


def copy_missing(store: KnowledgeStore, generation: str, plan: RefreshPlan, document_uris: Sequence[str]) -> int:
    """Copy what a build lacks of these documents of the base generation, vectors included; returns how many chunks."""
    if plan.base is None or not document_uris:
        return 0
    present = store.chunk_counts(generation)
    missing: list[str] = []
    for uri in document_uris:
        content_hash = plan.base.documents[uri].content_hash
        if content_hash and present.get((uri, content_hash)) != plan.base.chunks_of(uri):
            missing.append(uri)
    own = [uri for uri in missing if uri not in plan.base.copies]
    copied = store.copy(plan.base.generation, generation, own) if own else 0
    for uri in plan.base.copies.keys() & set(missing):
        chunks = list(under_own_address(store, plan.base, uri))
        store.add(generation, chunks)
        copied += len(chunks)
    return copied


def _useful(
    store: KnowledgeStore, other: Manifest, manifest: Manifest, wanted: Mapping[str, ScannedDocument]
) -> list[str]:
    """The wanted documents whose chunks another generation holds as they are now."""
    if other.state == "ready":
        held = {uri: record for uri, record in other.documents.items() if record.chunks}
        return [uri for uri, record in held.items() if uri in wanted and is_as_recorded(wanted[uri], record)]
    if other.sources != manifest.sources:
        return []  # under which source and path it has them is not recorded before it is sealed
    counts = store.chunk_counts(other.generation)
    return [uri for uri, version in counts if uri in wanted and wanted[uri].content_hash == version]
