# pyright: basic, reportMissingImports=false
"""LangChain's `index()` with a record manager, as its documentation has it; runs in an environment of its own.

Takes the work as JSON on the command line, and prints the seconds that it took, imports apart.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

from langchain_classic.indexes import SQLRecordManager
from langchain_community.vectorstores import OpenSearchVectorSearch
from langchain_core.indexing import index
from langchain_openai import OpenAIEmbeddings
from langchain_text_splitters import MarkdownHeaderTextSplitter
from pydantic import SecretStr


def main() -> None:
    work = json.loads(sys.argv[1])
    began = perf_counter()
    splitter = MarkdownHeaderTextSplitter([("##", "section")], strip_headers=False)
    chunks = []
    for path in sorted(Path(work["corpus"]).glob("*.md")):
        for chunk in splitter.split_text(path.read_text()):
            chunk.metadata["source"] = path.name
            chunks.append(chunk)
    embedding = OpenAIEmbeddings(
        model=work["model"], base_url=work["endpoint"], api_key=SecretStr("none"), check_embedding_ctx_length=False,
        chunk_size=work["batch"], timeout=600,
    )  # fmt: skip
    store = OpenSearchVectorSearch(work["opensearch"], work["index"], embedding, engine="lucene", timeout=600)
    records = SQLRecordManager(f"opensearch/{work['index']}", db_url=f"sqlite:///{work['state']}")
    records.create_schema()
    index(
        chunks, records, store, cleanup="full", source_id_key="source", key_encoder="sha256",
        upsert_kwargs={"engine": "lucene", "space_type": "cosinesimil", "m": 16, "ef_construction": 128},
    )  # fmt: skip
    print(json.dumps({"seconds": perf_counter() - began}))


if __name__ == "__main__":
    main()
