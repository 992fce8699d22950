"""The stage `drift`: whether the environment is what its variable file says; changes nothing."""

from prefect import flow, get_run_logger

from agents.knowledge.sources import MEBIBYTE
from flows import command_line
from tasks.artifacts import publish_table
from tasks.drift.compared import Compared
from tasks.drift.laptop import (
    compare_components,
    compare_knowledge,
    compare_model_files,
    compare_settings,
    local_report,
)
from tasks.drift.prefect_objects import compare_prefect_objects
from tasks.drift.releases import compare_releases
from tasks.drift.report import DriftReport
from tasks.drift.terraform_plans import cloud_report, lacks_resources, nothing_provisioned, require_state
from tasks.eks_cluster import find_cluster
from tasks.embedding.model import provenance
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import last_outputs
from tasks.knowledge.refresh_tasks import plan
from tasks.knowledge.sources import scan_sources, sources_of
from tasks.laptop.served_directory import directory_parameters
from tasks.platforms.local_components import LocalComponents
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.store_settings import knowledge_store
from tasks.terraform.commands import PlanKind, initialise, make_plan_to_read, read_outputs, state_addresses
from tasks.terraform.root import open_root
from tasks.wrong_input import refuse_directory_on_aws


@flow(name="drift", persist_result=True, on_running=[record_origin], timeout_seconds=7200)
def drift(environment: EnvironmentName, directory: str | None = None) -> str:
    """Compare what there is with the repository: on a laptop what runs, on AWS what Terraform manages, and Prefect.

    Args:
        environment: the environment to look at
        directory: on a laptop, the directory of documents that is served instead of the environment's sources
    """
    settings = load_environment(environment)
    refuse_directory_on_aws(settings, directory)
    report = compare_laptop(settings, directory) if settings.laptop is not None else compare_cloud(settings)
    deployed = compare_prefect_objects(settings, directory_parameters(directory))
    for name, compared in (("comparison", report), ("prefect", deployed)):
        text = f"The repository, and what was found: {compared.summary}"
        publish_table(environment, "drift", name, compared.rows, text)
    report = report.beside(deployed)
    report.require_none()
    get_run_logger().info(report.summary)
    return report.summary


def compare_cloud(settings: Environment) -> DriftReport:
    """Terraform's state and the files against AWS, by two plans that nobody applies, and against the cluster."""
    require_state(settings)
    with one_at_a_time(settings.name, "infrastructure"), open_root(settings) as root:
        initialise(root)
        if not state_addresses(root):
            return nothing_provisioned(settings.name)
        ahead = make_plan_to_read(root, PlanKind.NORMAL)
        behind = ahead if lacks_resources(ahead) else make_plan_to_read(root, PlanKind.REFRESH_ONLY)
        report = cloud_report(settings.name, behind, ahead)
        outputs = last_outputs(settings.name, read_outputs(root))
    if find_cluster(settings) is None or not outputs.get("cluster"):
        get_run_logger().info("there is no cluster whose releases could be compared")
        return report
    with (
        one_at_a_time(settings.name, "addons"),
        one_at_a_time(settings.name, "models"),
        one_at_a_time(settings.name, "agents"),
    ):
        return report.beside(compare_releases(settings, outputs))


def compare_laptop(settings: Environment, directory: str | None) -> DriftReport:
    """Processes, model files, gateway configuration and serving generation against the variable file."""
    components = LocalComponents.of(settings)
    comparisons = [
        *compare_components(components),
        *compare_model_files(settings),
        *compare_settings(components),
        *served(settings, directory),
    ]
    return local_report(settings.name, comparisons)


def served(settings: Environment, directory: str | None) -> list[Compared]:
    """The serving generation against the sources as they are now."""
    sources = sources_of(settings.knowledge, directory)
    with knowledge_store(settings) as store:
        scanned = scan_sources(sources, settings.knowledge.max_document_mib * MEBIBYTE)
        serving = store.serving()
        refresh_plan = plan(store, scanned.documents, provenance(settings, sources, None, None))
        return compare_knowledge(refresh_plan, serving.generation if serving else None)


if __name__ == "__main__":
    command_line.run(drift)
