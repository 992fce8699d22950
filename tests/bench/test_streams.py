"""What the bench of streams makes of what it saw; the simulated model writes at its pace, a word a token."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.metrics import Metrics
from agents.serving.loop_lag import watch_loop
from bench import streams
from bench.loop_lags import lags_between, lags_in, later_than, longest
from bench.record import Machine, Measured
from bench.streaming import Stream

LAGS = {"0.01": 90, "0.04": 97, "0.1": 99, "+Inf": 99}
WHOLE, CUT = Stream(2.0, 11.0, 10.0, None), Stream(0.0, 1.0, 10.0, "status 503")


def section(**more: Any) -> str:
    given: dict[str, Any] = {"read": (WHOLE, CUT), "memory": (90, 100, 100, 101, 104), "lags": LAGS, **more}
    result = streams.Streams(
        questions=20, seconds=300, processor_seconds=60.0, idle_lags={"0.01": 9, "+Inf": 9}, **given
    )
    return streams.tables(Measured(datetime(2026, 1, 2, tzinfo=UTC), Machine(2, 23.5, "A CPU", 0.25, {}), result))


def test_what_fell_short_is_said() -> None:
    text = section()
    assert "| errors, and sentences lost or out of order | **1** (missed: none) |" in text
    assert "| event loop blocked over 50 ms | **2** times in 99 looks (missed: never) |" in text
    assert "| longest delay of an idle loop at the same time | at most 10 ms |" in text
    assert "| its growth from the second fifth of the time to the last | **+4.0%** (reached: at most 5%) |" in text


def test_streams_take_what_their_model_takes_and_more() -> None:
    assert "| a stream, of what its model takes | 1.100 (99th percentile 1.100) |" in section(read=(WHOLE,))


def test_lags_are_told_apart() -> None:
    assert later_than(LAGS, "0.04") == 2
    assert longest(LAGS) == "at most 100 ms"
    assert longest({**LAGS, "+Inf": 100}) == "over 0.1 s"
    assert lags_between({"0.01": 80, "+Inf": 80}, {"0.01": 90, "+Inf": 99}) == {"0.01": 10, "+Inf": 19}


async def test_what_blocks_the_loop_is_in_the_metrics() -> None:
    metrics, noticed = Metrics(), asyncio.Event()

    def observe(seconds: float) -> None:
        metrics.loop_lag_seconds.observe(seconds)
        if seconds > 0.01:
            noticed.set()

    watching = asyncio.create_task(watch_loop(observe))
    await asyncio.sleep(0)
    sum(range(5_000_000))  # nothing else runs meanwhile
    await asyncio.wait_for(noticed.wait(), 60)
    watching.cancel()
    assert later_than(lags_in(metrics.exposition(ready=True).decode()), "0.01") >= 1


@pytest.mark.parametrize("fault", [None, "status 503"])
def test_a_stream_with_a_fault_is_no_measure_of_time(fault: str | None) -> None:
    read = (WHOLE, Stream(50.0, 99.0, 10.0, fault))
    assert ("99th percentile 9.900" in section(read=read)) is (fault is None)
