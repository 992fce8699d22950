"""The table and the plan that people see."""

from tasks.helm.release_artifacts import plan_markdown, release_counts, release_rows
from tasks.helm.rollout import Action, ReleaseResult
from tasks.helm.stage import PlannedRelease
from tasks.kubernetes.probe_result import Outcome, ProbeResult


def test_a_row_says_what_was_seen() -> None:
    proved = ReleaseResult("one", Action.UPGRADED, 2, ProbeResult(Outcome.NOT_PROVED, "simulated"), 1.26)
    failed = ReleaseResult("two", Action.FAILED, 0, None, 0.0, "the reason")
    assert release_rows([proved, failed]) == [
        {
            "release": "one",
            "action": "upgraded",
            "revision": 2,
            "probe": "not-proved",
            "seen": "simulated",
            "seconds": 1.3,
        },
        {"release": "two", "action": "failed", "revision": None, "probe": None, "seen": "the reason", "seconds": 0.0},
    ]


def test_the_list_of_artifacts_says_how_many_were_changed() -> None:
    actions = {"a": Action.UNCHANGED, "b": Action.UPGRADED, "c": Action.UNCHANGED}
    results = [ReleaseResult(name, action, 1, None, 0.0) for name, action in actions.items()]
    assert release_counts(results) == "3 releases: 2 unchanged, 1 upgraded"
    assert release_counts([]) == "No release"


def test_a_plan_shows_differences_in_a_fence_that_holds() -> None:
    planned = [
        PlannedRelease("one", "upgrade", "+ text: ```code```"),
        PlannedRelease("two", "unchanged", ""),
        PlannedRelease("three", "upgrade", ""),
    ]
    text = plan_markdown(planned)
    assert "### one: upgrade\n\n````diff\n+ text: ```code```\n````" in text
    assert "### three: upgrade\n\n```diff\nThe objects stay the same" in text
    assert text.endswith("Unchanged: two.")
    assert plan_markdown([]) == "There is no release."
