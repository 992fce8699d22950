"""The measurements behind every number in docs/benchmarks.md."""
