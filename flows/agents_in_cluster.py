"""The release of the agent service to a cluster: a canary first, a gate, and then everybody."""

from collections.abc import Sequence

from prefect import get_run_logger

from tasks.agent_service.cluster_release import record_release, serving_version, wanted_version
from tasks.agent_service.release_comparison import Verdict
from tasks.agent_service.release_gate import prove_canary, questions_for_canary
from tasks.artifacts import publish_markdown, publish_table
from tasks.environment import Environment
from tasks.golden.dataset import GoldenQuestion
from tasks.helm.derivations.agents import VERSIONS, Version
from tasks.kubernetes.probe_result import Outcome
from tasks.rollout import roll_out
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.secrets import require_secrets


class GateFailed(Exception):
    """The new version answers worse; the one that served before serves still."""


class CanaryLeft(Exception):
    """A canary that was not proved could not be taken away either; says why of both."""


def release_in_cluster(settings: Environment, digest: str | None, requested_by: str) -> str:
    """Roll a canary out, ask it golden questions, and let it take the place of what serves, or take it away again."""
    with one_at_a_time(settings.name, "agents"):
        require_secrets(settings, "agents")
        serving, wanted = serving_version(settings), wanted_version(settings, digest)
        if wanted == serving:
            verdict = None
        else:
            questions = questions_for_canary(settings)
            roll_out(settings, "agents", {VERSIONS: beside(serving, wanted)})
            verdict = prove(settings, serving, wanted, questions)
        roll_out(settings, "agents", {VERSIONS: {"stable": wanted}})
        release = record_release(settings, wanted, requested_by, asked_for=digest is not None)
    gate = f"{verdict.outcome}: {verdict.seen}" if verdict else "not asked: it served already"
    rows = {
        "version": wanted.digest,
        "image": release.image,
        "since": f"{release.since:%Y-%m-%d %H:%M} UTC",
        "commit": release.commit,
        "released by": release.released_by,
        "gate": gate,
    }
    page = "\n".join(("| | |", "| --- | --- |", *(f"| {name} | `{value}` |" for name, value in rows.items())))
    publish_markdown(settings.name, "agents", "release", page, "What runs, since when, from which commit, by whom")
    return f"{wanted.digest} serves since {rows['since']}; gate {gate}"


def beside(serving: Version | None, wanted: Version) -> dict[str, Version]:
    """The version that serves, where there is one, with the wanted one as its canary."""
    return {**({"stable": serving} if serving else {}), "canary": wanted}


def prove(
    settings: Environment, serving: Version | None, wanted: Version, questions: Sequence[GoldenQuestion]
) -> Verdict:
    """What the gate says of the canary; one that it does not let through, for whatever reason, is taken away again.

    Raises:
        GateFailed: it answers worse.
        CanaryLeft: it is not proved, and could not be taken away.
        As `prove_canary`, where it could not be asked.
    """
    try:
        verdict = prove_canary(settings, questions, compare=serving is not None)
        publish_gate(settings, verdict)
        if verdict.outcome is Outcome.FAILED:
            raise GateFailed(explain(settings, serving, wanted, verdict))
    except Exception as error:
        take_away(settings, serving, wanted, error)
        raise
    return verdict


def take_away(settings: Environment, serving: Version | None, canary: Version, why: Exception) -> None:
    """Have only the version run that serves, or none where none did.

    Raises:
        CanaryLeft: the canary is there still.
    """
    get_run_logger().warning("takes the canary %s away: %s", canary.digest, why)
    try:
        roll_out(settings, "agents", {VERSIONS: {"stable": serving} if serving else {}})
    except Exception as error:
        raise CanaryLeft(
            f"{type(why).__name__}: {why}. And the canary {canary.digest} could not be taken away "
            f"({type(error).__name__}: {error}): no user reaches it, and the next run of agents/{settings.name.value} "
            "clears it"
        ) from error


def publish_gate(settings: Environment, verdict: Verdict) -> None:
    """The table of the questions, those that got worse first."""
    rows = sorted(verdict.rows, key=lambda row: (not row.worse, row.right))
    table = [
        {
            "question": row.question,
            "kind": row.kind,
            "before": row.was_right,
            "canary": row.right,
            "worse": row.worse,
            "canary said": row.said,
        }
        for row in rows
    ]
    publish_table(settings.name, "agents", "gate", table, f"Golden questions: {verdict.outcome}, {verdict.seen}")


def explain(settings: Environment, serving: Version | None, wanted: Version, verdict: Verdict) -> str:
    """What the gate found, what serves now, and which questions were lost."""
    lost = "; ".join(repr(row.question) for row in verdict.rows if row.worse)
    now = f"{serving.digest} is still serving" if serving else "no version is serving (this was the first release)"
    return (
        f"{wanted.digest} is not released: {verdict.seen}; {now}. Worse: {lost or 'none'}. The table "
        f"{settings.name.value}-agents-gate has every question"
    )
