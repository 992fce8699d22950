"""Whatever happens at a commit point of a release to a cluster, running it again converges, and people are served.

The API server, helm and Prefect's server are real; AWS is emulated, and pods run nothing: that nobody's request is lost
is said of what the API server would send it to.
"""

import psutil
import pytest

from tests.crash.children import ended, title_of
from tests.crash.cluster_release_points import CANARY_POINTS, PROVING_POINTS
from tests.crash.faults import Case, Fault, ProcessPoint
from tests.crash.served_cluster import ServedCluster
from tests.flows.rollout.agents_stage import full_nodes
from tests.flows.rollout.conftest import Artifact
from tests.flows.rollout.played_kubelet import kubelet_of
from tests.tasks.conftest import until

# The run lives on, and takes back what it began.
RAISING = (Fault.ERROR, Fault.DONE_BUT_TIMED_OUT)

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(1800)]


@pytest.fixture
def versions(served_cluster: ServedCluster) -> tuple[str, str]:
    """The version that runs, and the other one."""
    former = served_cluster.served
    (wanted,) = {*served_cluster.versions} - {former}
    return former, wanted


def test_a_release_to_a_cluster_converges_after_a_fault(
    served_cluster: ServedCluster, versions: tuple[str, str], artifact: Artifact, cluster_release_case: Case
) -> None:
    former, wanted = versions
    with served_cluster.endpoints() as endpoints:
        code, output = served_cluster.release(wanted, cluster_release_case)
        assert (code == 0) == (cluster_release_case.fault is Fault.SLOW), output
        if cluster_release_case.point in CANARY_POINTS and code != 0:
            assert endpoints.digests == {former}, "a version that has not passed the gate could be reached"
        if cluster_release_case.point in PROVING_POINTS and cluster_release_case.fault in RAISING:
            served_cluster.assert_only(former)
        code, output = served_cluster.release(wanted)
        assert code == 0, output

    endpoints.assert_never_bare()
    assert endpoints.digests == {former, wanted}
    served_cluster.assert_only(wanted)
    assert f"| version | `{wanted}` |" in artifact("dev-agents-release")


def test_a_release_to_a_cluster_that_a_fault_met_can_be_taken_back(
    served_cluster: ServedCluster, versions: tuple[str, str], cluster_withdrawn_case: Case
) -> None:
    former, wanted = versions
    with served_cluster.endpoints() as endpoints:
        code, output = served_cluster.release(wanted, cluster_withdrawn_case)
        assert (code == 0) == (cluster_withdrawn_case.fault is Fault.SLOW), output
        code, output = served_cluster.release(former)
        assert code == 0, output

    endpoints.assert_never_bare()
    assert {former} <= endpoints.digests <= {former, wanted}
    served_cluster.assert_only(former)


def test_a_version_that_the_gate_refused_is_taken_away_after_a_fault(
    served_cluster: ServedCluster, versions: tuple[str, str], cluster_refused_case: Case
) -> None:
    former, _ = versions
    with served_cluster.endpoints() as endpoints, kubelet_of(served_cluster.cluster, "played"):
        with full_nodes(served_cluster.cluster):
            code, output = served_cluster.release(served_cluster.refused, cluster_refused_case)
            assert code != 0, output
            if cluster_refused_case.fault is Fault.ERROR:
                assert f"{served_cluster.refused} is not released: no way to" in output
                assert f"And the canary {served_cluster.refused} could not be taken away (InjectedError" in output
            code, output = served_cluster.release(served_cluster.refused)
        assert code != 0, output
        assert f"{former} is still serving" in output

    endpoints.assert_never_bare()
    assert endpoints.digests == {former}
    served_cluster.assert_only(former)


def test_a_release_to_a_cluster_converges_after_a_process_was_killed(
    served_cluster: ServedCluster, versions: tuple[str, str], cluster_process_case: Case
) -> None:
    former, wanted = versions
    assert isinstance(cluster_process_case.point, ProcessPoint)
    title = cluster_process_case.point.title
    with served_cluster.endpoints() as endpoints:
        with full_nodes(served_cluster.cluster):
            child = served_cluster.start(wanted)
            until(lambda: served_cluster.record().status == "pending-upgrade", 240)
            family = psutil.Process(child.pid)
            next(each for each in (family, *family.children(recursive=True)) if title in title_of(each)).kill()
            code, output = ended(child)
        assert code != 0, output
        assert served_cluster.record().status == "pending-upgrade"
        code, output = served_cluster.release(wanted)
        assert code == 0, output

    assert "agents: found pending-upgrade since" in output
    endpoints.assert_never_bare()
    assert endpoints.digests == {former, wanted}
    served_cluster.assert_only(wanted)
