"""Where a laptop differs from its environment file: components, model files, gateway, and what is served."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.sync import RefreshPlan
from tasks.agent_service.settings import agent_settings
from tasks.drift.compared import Compared
from tasks.drift.report import DriftReport
from tasks.environment import Environment, EnvironmentName
from tasks.laptop.data_directory import agent_settings_file, models_directory
from tasks.llama_cpp.model_files import ModelFiles, sha256
from tasks.platforms import Component, ComponentState, Platform, base_url
from tasks.platforms.component_names import AGENTS, GATEWAY
from tasks.platforms.local_components import LocalComponents, model_roles


def local_report(environment: EnvironmentName, comparisons: Sequence[Compared]) -> DriftReport:
    """All that was compared on a laptop, what agrees too."""
    return DriftReport(
        scope=f"{len(comparisons)} things",
        rows=tuple(
            {"what": line.what, "wanted": line.wanted, "found": line.found, "drift": not line.agrees}
            for line in comparisons
        ),
        differing=tuple(
            f"{line.what}: wanted {line.wanted!r}, found {line.found!r}" for line in comparisons if not line.agrees
        ),
        remedies=(f"Run lifecycle/{environment.value}",),
    )


@task(task_run_name="compare-components", cache_policy=NO_CACHE)
def compare_components(components: LocalComponents) -> list[Compared]:
    """Every component that the environment has, and any that it no longer has."""
    platform = components.platform
    deployed = {state.name: state for state in platform.list_components()}
    wanted = {component.name: component for component in _described(components)}
    expected = sorted({*components.ports, *wanted})
    return [
        *(
            Compared(f"component {name}", "ready", _found(platform, deployed.get(name), wanted.get(name)))
            for name in expected
        ),
        *(Compared(f"component {name}", "absent", deployed[name].state) for name in deployed if name not in expected),
    ]


@task(task_run_name="compare-model-files", cache_policy=NO_CACHE)
def compare_model_files(environment: Environment) -> list[Compared]:
    """The SHA-256 of every model file that runs here."""
    return list(_model_files(environment))


@task(task_run_name="compare-settings", cache_policy=NO_CACHE)
def compare_settings(components: LocalComponents) -> list[Compared]:
    """The settings files of gateway and agent service, as they are and as the environment file gives them."""
    laptop = components.platform.laptop
    gateway_url = base_url(laptop.listen_host, components.ports[GATEWAY])
    settings = agent_settings(
        components.environment,
        laptop.listen_host,
        components.ports[AGENTS],
        gateway_url,
        prefect_api_url=components.prefect_api_url,
        web_search_url=components.web_search_url,
    )
    return [
        _file("gateway configuration", components.gateway_file, components.gateway_configuration()),
        _file("agent settings", agent_settings_file(components.environment), settings.model_dump_json(indent=2)),
    ]


def compare_knowledge(plan: RefreshPlan, serving: str | None) -> list[Compared]:
    """What serves, against what the sources and the environment file give now."""
    if plan.changes_nothing:
        return [Compared("knowledge base", "up to date", "up to date")]
    if serving is None:
        return [Compared("knowledge base", "a serving generation", "none")]
    if plan.base is None:
        return [Compared("knowledge base", "the file's embedding model and chunker", f"{serving} has others")]
    changed = f"{serving} misses {plan.changed} new or changed documents and {len(plan.deleted)} deletions"
    return [Compared("knowledge base", "up to date", changed)]


def _described(components: LocalComponents) -> Iterator[Component]:
    """The components as the environment file describes them; the agent service as its settings file does."""
    environment = components.environment
    yield components.prefect_server()
    yield components.prefect_worker()
    yield components.gateway()
    for role, name in model_roles(environment).items():
        packaged = environment.models.catalogue[name].packaged
        if packaged is not None:
            path = models_directory(environment) / name / "model.gguf"
            yield components.model_server(role, ModelFiles(path, None, packaged.sha256, "kept"))
    if components.web_search_url is not None:
        yield components.web_search()
    settings = agent_settings_file(environment)
    if settings.exists():
        yield components.agents(settings, settings.read_text(encoding="utf-8"))


def _found(platform: Platform, state: ComponentState | None, wanted: Component | None) -> str:
    if state is None:
        return "absent"
    if state.state == "ready" and wanted is not None and not platform.runs_as_described(wanted):
        return "ready, but with other settings or code"
    return state.state


def _file(what: str, path: Path, wanted: str) -> Compared:
    if not path.exists():
        return Compared(what, "as rendered", "absent")
    same = path.read_text(encoding="utf-8") == wanted
    return Compared(what, "as rendered", "as rendered" if same else "differs")


def _model_files(environment: Environment) -> Iterator[Compared]:
    for name, model in sorted(environment.models.catalogue.items()):
        if model.packaged is not None:
            path = models_directory(environment) / name / "model.gguf"
            yield Compared(f"model file {name}", model.packaged.sha256, sha256(path) if path.exists() else "absent")
