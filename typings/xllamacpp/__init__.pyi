"""What this project uses of xllamacpp, a compiled module without types of its own."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

class llama_pooling_type(IntEnum):
    LLAMA_POOLING_TYPE_NONE = ...
    LLAMA_POOLING_TYPE_MEAN = ...

class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int

class CommonParams:
    model: CommonParamsModel
    model_alias: set[str]
    hostnames: list[str]
    port: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    n_ctx: int
    n_batch: int
    n_ubatch: int
    n_parallel: int
    cache_prompt: bool
    cache_ram_mib: int
    embedding: bool
    embd_normalize: int
    pooling_type: llama_pooling_type
    endpoint_slots: bool
    fit_params: bool
    offline: bool
    ui: bool
    cors_origins: str

class Server:
    listening_address: str
    def __init__(self, params: CommonParams) -> None: ...
    def handle_embeddings(self, prompt: Mapping[str, Any]) -> dict[str, Any]: ...
    def handle_chat_completions(self, prompt: Mapping[str, Any]) -> dict[str, Any]: ...
