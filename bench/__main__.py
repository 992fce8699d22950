"""`python -m bench [name ...] [--quick]`: measures, keeps the results below .bench/, and renders docs/benchmarks.md."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.document import DOCUMENT, InvalidDocument, replace_section
from bench.options import BENCH_DIRECTORY, MeasurementFailed, NotMeasurable, Options
from bench.record import Measured, present_machine, read_record, write_record

# A bench is a module of its own, with `measure(options)`, `RECORD` (how its result is read) and `tables(record)`.
BENCHES = {
    "refresh": "knowledge refresh against the embedding model alone, and refresh of an unchanged corpus",
    "retrieval": "recall@5, MRR and nDCG@10 of each leg and of their fusions",
    "routes": "thresholds of relevancy, and choosing the route by them against always taking the same one",
    "answers": "right answers on each route, written by the laptop's models",
    "ask": "what /v1/ask adds to model, gateway and search",
    "streams": "200 streams at once for five minutes: errors, order, the event loop, memory",
    "hangups": "callers that go away: how soon the model is left alone, too",
    "switch": "changes of the agent service's version while it is asked: what each takes, and what is lost",
    "up": "make up: from nothing, after make down, and when all is up",
    "provision": "what the flow adds to Terraform's plan and apply, and terraform test",
    "rollout": "the add-ons' releases together and one after another, and with nothing to change",
    "scale": "200 simulated nodes and 2,000 pods from the node pools: time, memory and requests of a rollout",
    "peers": "the refresh against LlamaIndex's and LangChain's ways to keep an index: time, and what is right",
    "edits": "edits in 50,000 passages, against the same ways, with vectors that are made up",
    "store": "refreshes, memory and queries of OpenSearch from 1,000 to 100,000 chunks, and moves under load",
}

# Benches with a `picture(record)` too, and where the document shows it from.
PICTURES = {"store": DOCUMENT.parent / "images" / "knowledge-growth.svg"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches that are named, or all; exit code 1 when one breaks down, 2 when what it needs is not there."""
    given = _parse(arguments)
    options = Options(given.quick, given.corpus, given.pubmedqa)
    try:
        for name in given.names or BENCHES:
            print(f"== {name}: {BENCHES[name]}", flush=True)
            record = _run(name, options)
            bench = import_module(f"bench.{name}")
            section = bench.tables(record)
            print(f"\n{section}\n", flush=True)
            # A quick run tries the bench out; its numbers are not for the document.
            if not options.quick:
                replace_section(DOCUMENT, name, section)
                if name in PICTURES:
                    PICTURES[name].write_bytes(bench.picture(record))
    except (NotMeasurable, InvalidDocument) as error:
        print(error, file=sys.stderr)
        return 2
    except MeasurementFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(name: str, options: Options) -> Measured[Any]:
    bench = import_module(f"bench.{name}")
    machine = present_machine()
    path = BENCH_DIRECTORY / ("quick" if options.quick else "") / f"{name}.json"
    write_record(path, machine, bench.measure(options))
    return read_record(path, bench.RECORD)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    described = "\n".join(f"  {name:<10} {what}" for name, what in BENCHES.items())
    parser = argparse.ArgumentParser(
        "python -m bench",
        description=f"{__doc__}\n\nbenches:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="benches to run; all, when none is named")
    parser.add_argument("--quick", action="store_true", help="small slices, to try a bench; changes no document")
    parser.add_argument("--corpus", type=Path, help="a directory of at least 1,000 HTML pages for the refresh")
    parser.add_argument("--pubmedqa", type=Path, help="ori_pqal.json of PubMedQA, for more of the retrieval")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(BENCHES)):
        parser.error(f"there is no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    return given


if __name__ == "__main__":
    sys.exit(main())
