"""One llama.cpp server as a process: `python -m tasks.llama_cpp.server --model-file ... --kind embedding ...`.

It speaks OpenAI's HTTP interface (`/v1/embeddings`, `/v1/chat/completions`) and answers `/health`.
Input that does not fit the context comes back as an HTTP error.
"""

import argparse
import signal
from pathlib import Path
from typing import Literal, NamedTuple

import xllamacpp

Kind = Literal["chat", "embedding"]


class ServerOptions(NamedTuple):
    """What one server runs with; `context` is in the model's tokens."""

    model_file: Path
    alias: str
    kind: Kind
    host: str
    port: int
    context: int
    threads: int


def common_parameters(options: ServerOptions) -> xllamacpp.CommonParams:
    """llama.cpp's parameters for `options`."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(options.model_file)
    parameters.model_alias = {options.alias}
    parameters.hostnames = [options.host]
    parameters.port = options.port
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    parameters.n_ctx = options.context
    parameters.ui = False
    parameters.endpoint_slots = False
    # Only servers call it: no page of another site may, through the browser of this machine.
    parameters.cors_origins = ""
    parameters.offline = True
    # The file says the sizes; without this llama.cpp measures the machine's memory and may shrink the context.
    parameters.fit_params = False
    if options.kind == "embedding":
        # An encoder sees its whole input at once, so batch and micro-batch must hold it.
        parameters.n_batch = parameters.n_ubatch = options.context
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        parameters.embd_normalize = 2
        parameters.cache_ram_mib = 0
    else:
        # One request at a time gets the whole context and all threads: with two cores, a second slot would halve
        # both. The prompt's common beginning (the instructions) stays in the slot's cache between requests; keeping
        # further prompts in memory would not pay for itself with a model this small.
        parameters.n_parallel = 1
        parameters.cache_prompt = True
        parameters.cache_ram_mib = 0
    return parameters


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _parse(arguments)
    if not options.model_file.is_file():
        raise SystemExit(f"there is no model file {str(options.model_file)!r}; `make up` builds it")
    # Blocked before llama.cpp starts its threads, so that all of them leave these signals to sigwait below.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    server = xllamacpp.Server(common_parameters(options))
    print(f"{options.alias} answers at {server.listening_address}", flush=True)  # noqa: T201 - the process's log
    signal.sigwait(stop_signals)


def _parse(arguments: list[str] | None) -> ServerOptions:
    parser = argparse.ArgumentParser(prog="python -m tasks.llama_cpp.server", description=__doc__)
    parser.add_argument("--model-file", type=Path, required=True)
    parser.add_argument("--alias", required=True, help="the model's name in requests and answers")
    parser.add_argument("--kind", choices=("chat", "embedding"), required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True, help="longest input, or prompt and answer, in tokens")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    return ServerOptions(
        given.model_file, given.alias, given.kind, given.host, given.port, given.context, given.threads
    )


if __name__ == "__main__":
    main()
