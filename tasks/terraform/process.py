"""One terraform command: its process, and its output line by line while it runs."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import boto3

from tasks.cache_directory import cache_directory
from tasks.terraform.root import TerraformRoot

POLL_SECONDS = 0.1
HIDDEN = "***"
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


@dataclass(frozen=True)
class Finished:
    """How a command ended, and all that it printed to standard output and to standard error."""

    exit_code: int
    output: str
    complaint: str


def run(root: TerraformRoot, command: Sequence[str], on_line: Callable[[str], None] | None) -> Finished:
    """Run `command` in the root's directory; each line that it prints is handed to `on_line` as it comes.

    None stands for a command whose standard output is only read: it may hold secrets. Terraform writes into files,
    because a pipe that breaks when this process is killed would end it in the middle of an apply: left alone, it goes
    on to the end of the approved plan, saves its state and frees its lock. Whatever else ends this call early,
    terraform is asked once to stop (SIGINT: it saves its state and frees its lock) and is waited for.
    """
    with tempfile.TemporaryDirectory(dir=root.directory.parent) as directory:
        printed, complained = Path(directory, "stdout"), Path(directory, "stderr")
        with printed.open("wb") as stdout, complained.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=root.directory,
                env=terraform_environment(root),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                # Ctrl-C reaches a whole group, and a second SIGINT makes terraform give up its state.
                start_new_session=True,
            )
        with _Lines(printed, on_line) as lines, _Lines(complained, on_line) as complaints:
            try:
                _follow(process, lines, complaints)
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    _follow(process, lines, complaints)
        return Finished(process.returncode, *(path.read_text("utf-8", "replace") for path in (printed, complained)))


class _Lines:
    """The complete lines that a growing file has gained since it was last looked at."""

    def __init__(self, path: Path, on_line: Callable[[str], None] | None) -> None:
        self._file = path.open("rb")
        self._on_line = on_line
        self._begun = b""

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def hand_over(self, *, ended: bool) -> None:
        if self._on_line is None:
            return
        *complete, self._begun = (self._begun + self._file.read()).split(b"\n")
        if ended and self._begun:
            complete.append(self._begun)
        for line in complete:
            self._on_line(line.decode("utf-8", errors="replace").rstrip())


def _follow(process: "subprocess.Popen[bytes]", *streams: _Lines) -> None:
    running = True
    while running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL_SECONDS)
        running = process.poll() is None
        for stream in streams:
            stream.hand_over(ended=not running)


def terraform_environment(root: TerraformRoot) -> dict[str, str]:
    """The environment variables of every terraform command."""
    own = os.environ.get("TF_CLI_CONFIG_FILE")
    # Terraform would warn in every command of a file that is named and does not exist.
    inherited = {
        name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE" or Path(value).is_file()
    }
    configured = Path(own).is_file() if own else (Path.home() / ".terraformrc").is_file()
    return {
        **({} if configured else {"TF_PLUGIN_CACHE_DIR": str(plugin_cache())}),
        **inherited,
        "TF_DATA_DIR": str(root.directory / ".terraform"),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


def plugin_cache() -> Path:
    """Where providers are kept between runs: below the user's cache directory."""
    directory = cache_directory("terraform-providers")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def masking() -> Callable[[str], str]:
    """What takes the credentials of this process out of a text, and whatever looks like an access key."""
    credentials = boto3.Session().get_credentials()
    frozen = credentials.get_frozen_credentials() if credentials else None
    known = {
        os.environ.get("AWS_SECRET_ACCESS_KEY"),
        os.environ.get("AWS_SESSION_TOKEN"),
        *((frozen.secret_key, frozen.token) if frozen else ()),
    }
    secrets = sorted(filter(None, known), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        return _ACCESS_KEY.sub(HIDDEN, text)

    return mask
