"""What a rollout and its plan show in the Prefect UI."""

from collections import Counter
from collections.abc import Sequence

from tasks.helm.rollout import ReleaseResult
from tasks.helm.stage import PlannedRelease


def release_rows(results: Sequence[ReleaseResult]) -> list[dict[str, object]]:
    """A row a release: what was done, the revision, what the probe says, how long it took; what is long comes last."""
    return [
        {
            "release": result.name,
            "action": result.action.value,
            "revision": result.revision or None,
            "probe": result.probe.outcome.value if result.probe else None,
            "seconds": round(result.seconds, 1),
            "seen": result.detail or (result.probe.seen if result.probe else ""),
        }
        for result in results
    ]


def release_counts(results: Sequence[ReleaseResult]) -> str:
    """What was done, in the words that stand under the table's name: `17 releases: 15 unchanged, 2 upgraded`."""
    counted = Counter(result.action.value for result in results)
    done = ", ".join(f"{number} {action}" for action, number in sorted(counted.items()))
    return f"{len(results)} releases: {done}" if results else "No release"


def plan_markdown(planned: Sequence[PlannedRelease]) -> str:
    """The plan as text: what changes with its difference, and by name what stays."""
    unchanged = [release.name for release in planned if release.action == "unchanged"]
    parts = [_section(release) for release in planned if release.action != "unchanged"]
    if unchanged:
        parts.append(f"Unchanged: {', '.join(unchanged)}.")
    return "\n\n".join(parts) or "There is no release."


def _section(release: PlannedRelease) -> str:
    # A manifest may hold a fence of its own, such as a dashboard's text.
    fence = "`" * max(3, _longest_fence(release.difference) + 1)
    shown = release.difference or "The objects stay the same; chart, values or CRDs differ."
    return f"### {release.name}: {release.action}\n\n{fence}diff\n{shown}\n{fence}"


def _longest_fence(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
