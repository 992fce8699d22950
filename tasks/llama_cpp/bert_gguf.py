"""BERT sentence encoders as published by sentence-transformers (safetensors) -> GGUF, as llama.cpp reads them.

Source of the format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; of the names and of the
treatment of the vocabulary: `BertModel` in llama.cpp's convert_hf_to_gguf.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import gguf
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from safetensors.numpy import load_file

Precision = Literal["f32", "f16", "q8_0"]

# Measured on one x86-64 core with 224-token inputs of English prose, cosine (mean, least) against f32:
# f32 5.8 inputs/s; f16 6.0 inputs/s, 0.9999997, 0.9999995; q8_0 8.7 inputs/s, 0.9996, 0.9993.
PRECISION: Precision = "q8_0"

_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}
_TENSOR_TYPES = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
}
_EMBEDDINGS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
# llama.cpp adds these two to the token embeddings, and its addition wants float32 on the right.
_ALWAYS_F32 = {"position_embd.weight", "token_types.weight"}
_WORD_START = "\u2581"


class UnsupportedModel(Exception):
    """The files are not a BERT encoder with WordPiece tokens and mean pooling."""


class BertConfiguration(BaseModel):
    """What is read of the model's `config.json`; sizes in units, lengths in tokens."""

    model_type: Literal["bert"]
    num_hidden_layers: Annotated[int, Field(ge=1)]
    max_position_embeddings: Annotated[int, Field(ge=1)]
    hidden_size: Annotated[int, Field(ge=1)]
    intermediate_size: Annotated[int, Field(ge=1)]
    num_attention_heads: Annotated[int, Field(ge=1)]
    layer_norm_eps: Annotated[float, Field(gt=0)]
    type_vocab_size: Annotated[int, Field(ge=1)]
    vocab_size: Annotated[int, Field(ge=1)]


def convert(source: Path, target: Path, name: str, precision: Precision = PRECISION) -> None:
    """Write the model in the directory `source` to the GGUF file `target`, the same bytes every time.

    `source` holds `config.json`, `vocab.txt` and `model.safetensors`. Matrices are stored in `precision`,
    all else in float32.

    Raises:
        UnsupportedModel: a tensor has a name that BERT does not have, or the vocabulary has another size.
        pydantic.ValidationError: `config.json` is not of a BERT encoder.
        OSError: a file cannot be read or written.
    """
    configuration = BertConfiguration.model_validate_json((source / "config.json").read_bytes())
    vocabulary = _read_vocabulary(source / "vocab.txt", configuration.vocab_size)
    _require_mean_pooling(source / "1_Pooling" / "config.json")
    writer = gguf.GGUFWriter(target, "bert")
    try:
        _describe(writer, name, configuration, precision)
        _add_tokenizer(writer, vocabulary)
        writer.add_token_type_count(configuration.type_vocab_size)
        for tensor_name, values, kind in _tensors(source / "model.safetensors", precision):
            writer.add_tensor(tensor_name, values, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _read_vocabulary(path: Path, size: int) -> list[str]:
    tokens = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if len(tokens) != size:
        raise UnsupportedModel(f"{path} holds {len(tokens)} tokens, but config.json says vocab_size = {size}")
    return tokens


def _require_mean_pooling(path: Path) -> None:
    pooling: dict[str, Any] = json.loads(path.read_bytes())
    if not pooling.get("pooling_mode_mean_tokens"):
        raise UnsupportedModel(f"{path} asks for another pooling than the mean of the tokens: {pooling!r}")


def _describe(writer: gguf.GGUFWriter, name: str, configuration: BertConfiguration, precision: Precision) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_file_type(_FILE_TYPES[precision])
    writer.add_block_count(configuration.num_hidden_layers)
    writer.add_context_length(configuration.max_position_embeddings)
    writer.add_embedding_length(configuration.hidden_size)
    writer.add_feed_forward_length(configuration.intermediate_size)
    writer.add_head_count(configuration.num_attention_heads)
    writer.add_layer_norm_eps(configuration.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)


def _add_tokenizer(writer: gguf.GGUFWriter, vocabulary: list[str]) -> None:
    position = {token: index for index, token in enumerate(vocabulary)}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_as_llama_token(token) for token in vocabulary])
    writer.add_token_types([_token_type(token) for token in vocabulary])
    writer.add_bos_token_id(position["[CLS]"])
    writer.add_eos_token_id(position["[SEP]"])
    writer.add_sep_token_id(position["[SEP]"])
    writer.add_unk_token_id(position["[UNK]"])
    writer.add_pad_token_id(position["[PAD]"])
    writer.add_mask_token_id(position["[MASK]"])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)


def _is_special(token: str) -> bool:
    # The vocabulary also has the plain tokens "[" and "]".
    return len(token) > 2 and token.startswith("[") and token.endswith("]")


def _as_llama_token(token: str) -> str:
    # WordPiece marks the pieces that continue a word, llama.cpp those that start one.
    if _is_special(token):
        return token
    return token[2:] if token.startswith("##") and len(token) > 2 else _WORD_START + token


def _token_type(piece: str) -> gguf.TokenType:
    if piece == "[UNK]":
        return gguf.TokenType.UNKNOWN
    return gguf.TokenType.CONTROL if _is_special(piece) else gguf.TokenType.NORMAL


def _tensors(path: Path, precision: Precision) -> Iterator[tuple[str, NDArray[Any], gguf.GGMLQuantizationType]]:
    weights: dict[str, NDArray[Any]] = load_file(path)
    for source_name in sorted(weights):
        # Positions are implied, and the pooler is for next-sentence prediction, not for mean pooling.
        if source_name.endswith("position_ids") or source_name.startswith("pooler."):
            continue
        name = _tensor_name(source_name)
        values = np.ascontiguousarray(weights[source_name], dtype=np.float32)
        matrix = values.ndim == 2 and name not in _ALWAYS_F32
        kind = _TENSOR_TYPES[precision] if matrix else gguf.GGMLQuantizationType.F32
        yield name, values if kind == gguf.GGMLQuantizationType.F32 else gguf.quants.quantize(values, kind), kind


def _tensor_name(source_name: str) -> str:
    module, _, parameter = source_name.rpartition(".")
    if module in _EMBEDDINGS:
        return f"{_EMBEDDINGS[module]}.{parameter}"
    if module.startswith("encoder.layer."):
        layer, _, rest = module.removeprefix("encoder.layer.").partition(".")
        if rest in _LAYER and layer.isdecimal():
            return f"blk.{layer}.{_LAYER[rest]}.{parameter}"
    raise UnsupportedModel(f"tensor {source_name!r} is not part of a BERT encoder")
