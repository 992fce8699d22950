"""Whether EKS still offers the Kubernetes version of the file, and the add-ons pinned for it."""

from typing import Any

from tasks.environment.cluster import ADDON_VERSIONS, known_addons
from tasks.preflight.aws import Absent, AwsReader, NotProved
from tasks.preflight.demand import Demand
from tasks.preflight.finding import PreflightFinding

CHECK = "Kubernetes version"
# The system nodes are Graviton.
ARCHITECTURE = "arm64"


def check_version(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """Whether the minor is in standard support: extended support costs several times as much."""
    minor = demand.cluster.kubernetes_version
    known = aws.ask("eks", "describe_cluster_versions", clusterVersions=[minor])["clusterVersions"]
    offered = next((version for version in known if version["clusterVersion"] == minor), None)
    newer = "choose a newer cluster.kubernetes_version"
    if offered is None:
        return PreflightFinding(CHECK, "blocked", f"EKS does not offer {minor!r}", newer)
    status, ends = offered["versionStatus"], offered.get("endOfStandardSupportDate")
    found = f"{minor} is in {status}" + (f", standard support ends {ends:%Y-%m-%d}" if ends else "")
    if status == "STANDARD_SUPPORT":
        return PreflightFinding(CHECK, "ok", found)
    if status == "EXTENDED_SUPPORT":
        return PreflightFinding(CHECK, "warning", found, f"the control plane costs 0.60 USD an hour; {newer}")
    return PreflightFinding(CHECK, "blocked", found, newer)


def check_addon(aws: AwsReader, demand: Demand, addon: str) -> PreflightFinding:
    """Whether EKS offers the pinned version of one add-on for this minor and for arm64."""
    minor = demand.cluster.kubernetes_version
    listed = known_addons()[minor][addon]
    chosen = demand.cluster.addon_versions.get(addon, listed[0])
    check = f"add-on {addon}"
    try:
        answer = aws.ask_all("eks", "describe_addon_versions", "addons", addonName=addon, kubernetesVersion=minor)
        offered = [version["addonVersion"] for known in answer for version in known["addonVersions"] if _fits(version)]
    except Absent:
        offered = []
    if not offered:
        by_hand = f"see for yourself: `aws eks describe-addon-versions --addon-name {addon}`"
        raise NotProved(f"EKS lists no version of {addon!r} for Kubernetes {minor}", by_hand)
    if chosen not in offered:
        remedy = f"choose one of {', '.join(offered[:5])} for cluster.addon_versions.{addon}, and correct {_file()}"
        return PreflightFinding(check, "blocked", f"{chosen!r} is not offered for Kubernetes {minor}", remedy)
    stale = [version for version in listed if version not in offered]
    if stale:
        found = f"{chosen} is offered; {', '.join(stale)} of {_file()} no longer"
        return PreflightFinding(check, "warning", found, f"remove {', '.join(stale)} from {_file()}")
    return PreflightFinding(check, "ok", f"{chosen} is offered for Kubernetes {minor}")


def _fits(version: dict[str, Any]) -> bool:
    return ARCHITECTURE in version.get("architecture", [ARCHITECTURE])


def _file() -> str:
    return f"infra/{ADDON_VERSIONS.name}"
