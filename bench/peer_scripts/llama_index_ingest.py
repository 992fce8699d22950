# pyright: basic, reportMissingImports=false
"""LlamaIndex's ingestion pipeline with a docstore, as its documentation has it; runs in an environment of its own.

Takes the work as JSON on the command line, and prints the seconds that it took, imports apart.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

from llama_index.core import Document
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore


def main() -> None:
    work = json.loads(sys.argv[1])
    began = perf_counter()
    corpus = sorted(Path(work["corpus"]).glob("*.md"))
    documents = [Document(text=path.read_text(), doc_id=path.name, metadata={"path": path.name}) for path in corpus]
    client = OpensearchVectorClient(
        work["opensearch"], work["index"], work["dimension"], engine="lucene", space_type="cosinesimil",
        method={"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil",
                "parameters": {"m": 16, "ef_construction": 128}},
    )  # fmt: skip
    embedding = OpenAILikeEmbedding(
        model_name=work["model"], api_base=work["endpoint"], api_key="none", embed_batch_size=work["batch"], timeout=600
    )
    pipeline = IngestionPipeline(
        transformations=[MarkdownNodeParser(), embedding],
        vector_store=OpensearchVectorStore(client),
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS_AND_DELETE,
        disable_cache=True,
    )
    state = Path(work["state"])
    if state.exists():
        pipeline.load(str(state))
    pipeline.run(documents=documents)
    pipeline.persist(str(state))
    print(json.dumps({"seconds": perf_counter() - began}))


if __name__ == "__main__":
    main()
