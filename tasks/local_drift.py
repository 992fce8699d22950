"""Where a laptop differs from its environment file: components, model files, gateway, and what is served."""

from collections.abc import Iterator
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.sync import RefreshPlan
from tasks.data_directory import models_directory
from tasks.environment import Environment
from tasks.model_files import sha256
from tasks.platforms import ComponentState
from tasks.platforms.local_components import LocalComponents


@dataclass(frozen=True)
class Comparison:
    """One thing as the environment file has it and as it was found."""

    what: str
    wanted: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether there is no drift here."""
        return self.wanted == self.found


@task(task_run_name="compare-components", cache_policy=NO_CACHE)
def compare_components(components: LocalComponents) -> list[Comparison]:
    """Every component that the environment has, and any that it no longer has."""
    deployed = {state.name: state for state in components.platform.list_components()}
    expected = sorted(components.ports)
    return [
        *(Comparison(f"component {name}", "ready", _state(deployed.get(name))) for name in expected),
        *(
            Comparison(f"component {name}", "absent", _state(deployed[name]))
            for name in deployed
            if name not in expected
        ),
    ]


@task(task_run_name="compare-model-files", cache_policy=NO_CACHE)
def compare_model_files(environment: Environment) -> list[Comparison]:
    """The SHA-256 of every model file that runs here."""
    return list(_model_files(environment))


@task(task_run_name="compare-gateway", cache_policy=NO_CACHE)
def compare_gateway(components: LocalComponents) -> list[Comparison]:
    """The gateway's configuration file, as it is and as the environment file gives it."""
    path = components.gateway_file
    same = path.exists() and path.read_text(encoding="utf-8") == components.gateway_configuration()
    found = "as rendered" if same else "differs" if path.exists() else "absent"
    return [Comparison("gateway configuration", "as rendered", found)]


def compare_knowledge(plan: RefreshPlan, serving: str | None) -> list[Comparison]:
    """What serves, against what the sources and the environment file give now."""
    if plan.changes_nothing:
        return [Comparison("knowledge base", "up to date", "up to date")]
    if serving is None:
        return [Comparison("knowledge base", "a serving generation", "none")]
    if plan.base is None:
        return [Comparison("knowledge base", "the file's embedding model and chunker", f"{serving} has others")]
    changed = f"{serving} misses {len(plan.parse)} new or changed documents and {len(plan.deleted)} deletions"
    return [Comparison("knowledge base", "up to date", changed)]


def _state(state: ComponentState | None) -> str:
    return "absent" if state is None else state.state


def _model_files(environment: Environment) -> Iterator[Comparison]:
    for name, model in sorted(environment.models.catalogue.items()):
        if model.packaged is not None:
            path = models_directory(environment) / name / "model.gguf"
            yield Comparison(f"model file {name}", model.packaged.sha256, sha256(path) if path.exists() else "absent")
