"""The rollout: independent releases at the same time, each dependant once what it needs has been proved."""

import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

import stamina

from tasks.helm.charts import ChartAway
from tasks.helm.order import sorter_of
from tasks.helm.preparation import Content, Prepared
from tasks.helm.records import ReleaseKey, ReleaseRecord
from tasks.helm.releases_file import InvalidReleases, Stage
from tasks.helm.upgrade import Target, deployed_manifests, remove, require_own, upgrade
from tasks.kubernetes.faults import ApiAway, ClusterFault, WebhookAway
from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.kubernetes.probes import run_probe

# How many releases are worked on at the same time: each is a helm process of about 100 MB.
AT_ONCE = 8
# What goes away by itself: the API server restarts, the webhook's pods start.
PASSING = (ApiAway, WebhookAway)
LONGEST_PAUSE_SECONDS = 10

Result = TypeVar("Result")


class Action(StrEnum):
    """What was done with a release."""

    INSTALLED = "installed"
    UPGRADED = "upgraded"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    FAILED = "failed"
    BLOCKED = "blocked"
    CHART_AWAY = "chart away"


@dataclass(frozen=True)
class ReleaseResult:
    """What became of one release. `probe` is None where none was asked; `revision` is 0 where nothing is deployed."""

    name: str
    action: Action
    revision: int
    probe: ProbeResult | None
    seconds: float
    detail: str = ""

    @property
    def usable(self) -> bool:
        """Whether dependants may be rolled out: it is there, and its probe did not fail."""
        there = self.action in (Action.INSTALLED, Action.UPGRADED, Action.UNCHANGED)
        return there and self.probe is not None and self.probe.outcome is not Outcome.FAILED


class RolloutFailed(Exception):
    """Releases could not be rolled out, or do not work: names each with its reason."""


def roll_out(
    target: Target,
    prepared: Sequence[Prepared],
    contents: Mapping[str, Content | ChartAway],
    records: Mapping[ReleaseKey, ReleaseRecord],
) -> list[ReleaseResult]:
    """Roll the releases out and prove them; those without an entry in `contents` are unchanged and only proved.

    A release that fails holds up its dependants and nothing else. The results come in rollout order.
    """
    by_name = {item.name: item for item in prepared}
    sorter = sorter_of({name: item.release for name, item in by_name.items()})
    sorter.prepare()
    results: dict[str, ReleaseResult] = {}
    running: dict[Future[ReleaseResult], str] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="release") as pool, _stopping(target):
        while sorter.is_active():
            for name in sorter.get_ready():
                work = _work(target, by_name[name], contents.get(name), records, results)
                running[pool.submit(work)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                results[name] = future.result()
                target.say(_line(results[name]))
                sorter.done(name)
    return [results[item.name] for item in prepared]


def remove_all(target: Target, records: Sequence[ReleaseRecord]) -> list[ReleaseResult]:
    """Uninstall releases that this project installed, in this order; one that cannot go holds up no other."""
    results: list[ReleaseResult] = []
    for record in records:
        begin = time.monotonic()
        try:
            remove(target, record)
            result = ReleaseResult(record.name, Action.REMOVED, 0, None, time.monotonic() - begin)
        except ClusterFault as error:
            seconds = time.monotonic() - begin
            result = ReleaseResult(record.name, Action.FAILED, record.revision, None, seconds, str(error))
        target.say(_line(result))
        results.append(result)
    return results


def superfluous(
    environment: str, stage: Stage, wanted: Collection[ReleaseKey], records: Mapping[ReleaseKey, ReleaseRecord]
) -> list[ReleaseRecord]:
    """What `stage` installed for the environment and is not `wanted` any more, the last one first, as it is removed.

    `wanted` has the releases of every stage: one that moved to another stage stays.
    """
    others = [
        record
        for key, record in records.items()
        if key not in wanted and (record.environment, record.stage) == (environment, stage)
    ]
    return sorted(others, key=lambda record: record.order, reverse=True)


def require_rolled_out(results: Sequence[ReleaseResult]) -> None:
    """Stop when a release failed, was blocked or does not work.

    Raises:
        RolloutFailed: names each with its reason.
    """
    failed = [result for result in results if not (result.usable or result.action is Action.REMOVED)]
    if failed:
        raise RolloutFailed("\n".join(_line(result) for result in failed))


def _work(
    target: Target,
    item: Prepared,
    content: Content | ChartAway | None,
    records: Mapping[ReleaseKey, ReleaseRecord],
    results: Mapping[str, ReleaseResult],
) -> Callable[[], ReleaseResult]:
    before = records.get(item.key)
    revision = before.revision if before else 0
    unusable = [name for name in item.release.needs if name in results and not results[name].usable]

    def work() -> ReleaseResult:
        begin = time.monotonic()
        if unusable:
            return ReleaseResult(item.name, Action.BLOCKED, revision, None, 0.0, f"needs {', '.join(unusable)}")
        if isinstance(content, ChartAway):
            return ReleaseResult(item.name, Action.CHART_AWAY, revision, None, 0.0, str(content))
        try:
            if before is not None:
                require_own(target.environment, before)
            if content is None:
                return _proved(target, item, Action.UNCHANGED, revision, begin)
            action = Action.INSTALLED if before is None else Action.UPGRADED
            revision_now = _patiently(target, item, partial(upgrade, target, item, content))
            return _proved(target, item, action, revision_now, begin)
        except (ClusterFault, InvalidReleases) as error:
            return ReleaseResult(item.name, Action.FAILED, revision, None, time.monotonic() - begin, str(error))

    return work


def _proved(target: Target, item: Prepared, action: Action, revision: int, begin: float) -> ReleaseResult:
    seconds = item.release.deadline_seconds

    def ask() -> ProbeResult:
        manifests = deployed_manifests(target.helm, item.name, item.release.namespace)
        return run_probe(target.connection, item.release.probe, manifests, item.release.namespace, seconds)

    return ReleaseResult(item.name, action, revision, _patiently(target, item, ask), time.monotonic() - begin)


def _patiently(target: Target, item: Prepared, step: Callable[[], Result]) -> Result:
    """Do `step` again, until the release's deadline, while what is in its way goes away by itself."""
    seconds = item.release.deadline_seconds
    waiting = stamina.retry_context(on=PASSING, attempts=None, timeout=seconds, wait_max=LONGEST_PAUSE_SECONDS)
    for attempt in waiting:
        with attempt:
            if attempt.num > 1:
                target.say(f"{item.name}: try {attempt.num}: the API or a webhook was away")
            return step()
    raise AssertionError("stamina returns or raises")


@contextmanager
def _stopping(target: Target) -> Generator[None]:
    """Stop helm when the rollout is left by an error, such as a cancellation, so that the pool's threads end."""
    try:
        yield
    except BaseException:
        target.helm.stop()
        raise


def _line(result: ReleaseResult) -> str:
    probe = f", {result.probe.outcome}: {result.probe.seen}" if result.probe else ""
    detail = f": {result.detail}" if result.detail else ""
    return f"{result.name}: {result.action} (revision {result.revision}, {result.seconds:.1f} s){probe}{detail}"
