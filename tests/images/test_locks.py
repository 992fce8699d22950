"""What the images install is what the code that is in them imports, in the versions that everything else runs with."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tests.images.locks import canonical, locked, named

PROJECT = {"agents", "tasks", "flows", "console", "rehearsal"}


def imports(file: Path) -> Iterator[str]:
    """The top-level modules that a file imports when it runs, wherever in it; not those for types alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def foreign(module: str) -> bool:
    return module not in sys.stdlib_module_names and module not in PROJECT


def test_the_lock_of_the_online_service_has_all_that_it_imports() -> None:
    distributions, lock = packages_distributions(), locked("agents.txt")
    missing = {
        f"{file.relative_to(REPOSITORY)} imports {module!r}"
        for file in (REPOSITORY / "agents").rglob("*.py")
        for module in imports(file)
        if foreign(module) and not {canonical(name) for name in distributions.get(module, ())} & lock.keys()
    }
    assert missing == set()


def test_the_lock_of_the_online_service_has_neither_the_orchestrator_nor_the_batch_engine() -> None:
    assert not {"prefect", "ray", "litellm", "ragas", "kubernetes"} & locked("agents.txt").keys()


@pytest.mark.parametrize("image", ["agents", "ray"])
def test_versions_are_those_of_the_main_lock(image: str) -> None:
    lock = locked(f"{image}.txt")
    assert lock.items() <= locked("main.txt").items()
    assert named(f"{image}.in") <= lock.keys()


def test_ray_in_the_image_is_the_one_that_jobs_are_sent_with() -> None:
    assert locked("ray.txt")["ray"] == locked("main.txt")["ray"] == version("ray")
    assert "xllamacpp" in locked("ray.txt")
    assert "prefect" not in locked("ray.txt")


# Refuses whatever comes from a distribution that the lock does not have, as if it were not installed.
ONLY_LOCKED = """
import importlib.abc, importlib.metadata, sys
sys.path.insert(0, sys.argv[1])
from tests.images.locks import canonical, locked
lock = locked(sys.argv[2])
known = importlib.metadata.packages_distributions()
class OnlyLocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        owners = {canonical(owner) for owner in known.get(name.split(".")[0], ())}
        if owners and not owners & lock.keys():
            raise ModuleNotFoundError(f"{name} is of {owners}, which is not in the lock", name=name)
        return None
sys.meta_path.insert(0, OnlyLocked())
for module in sys.argv[3:]:
    __import__(module)
"""


def modules_of_the_online_service() -> list[str]:
    files = sorted((REPOSITORY / "agents").rglob("*.py"))
    names = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in files]
    # A module of that name runs when it is imported.
    return [name.removesuffix(".__init__") for name in names if not name.endswith(".__main__")]


RAY_MODULES = [
    "tasks.refresh.run_job",
    "tasks.refresh.mirrored_model",
    "tasks.embedding.service",
    "agents.knowledge.store.opensearch",
    "agents.knowledge.bucket_source",
    "agents.knowledge.parsing",
]


@pytest.mark.parametrize(("image", "modules"), [("agents", modules_of_the_online_service()), ("ray", RAY_MODULES)])
def test_what_an_image_runs_can_be_imported_with_its_lock_alone(image: str, modules: list[str]) -> None:
    command = [sys.executable, "-c", ONLY_LOCKED, str(REPOSITORY), f"{image}.txt", *modules]
    outcome = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    assert outcome.returncode == 0, outcome.stderr
