"""How late an event loop comes: that of the service by its metrics, and that of a process that has nothing to do."""

import asyncio
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from agents.metrics import Metrics
from agents.serving.loop_lag import watch_loop

FAMILY = "agents_event_loop_lag_seconds"
Lags = Mapping[str, int]
"""How often the loop came at most so late, by the bound in seconds as Prometheus writes it; `+Inf` is all."""


def lags_in(exposition: str) -> dict[str, int]:
    """What the metrics of a service say since it started."""
    return {
        sample.labels["le"]: int(sample.value)
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == f"{FAMILY}_bucket"
    }


def lags_between(before: Lags, after: Lags) -> dict[str, int]:
    """What came between two looks at the same service."""
    return {bound: count - before[bound] for bound, count in after.items()}


def later_than(lags: Lags, bound: str) -> int:
    """How often the loop came later than a bound of the buckets."""
    return lags["+Inf"] - lags[bound]


def longest(lags: Lags) -> str:
    """How late the loop came at most, in words."""
    *bounds, _ = sorted(lags, key=float)
    reached = next((bound for bound in bounds if lags[bound] == lags["+Inf"]), None)
    return f"over {float(bounds[-1]):g} s" if reached is None else f"at most {1000 * float(reached):g} ms"


def idle_loop(seconds: float) -> dict[str, int]:
    """The lags of an event loop that has nothing to do; meant for a process of its own."""
    metrics = Metrics()

    async def watch() -> None:
        watching = asyncio.create_task(watch_loop(metrics.loop_lag_seconds.observe))
        await asyncio.sleep(seconds)
        watching.cancel()

    asyncio.run(watch())
    return lags_in(metrics.exposition(ready=True).decode())
