"""Runs terraform commands and takes what they print: logged line by line, read as messages, or only read."""

from python_terraform import IsFlagged, Terraform

from tasks.runs.log import run_log
from tasks.terraform.failures import failure
from tasks.terraform.messages import MessageStream
from tasks.terraform.process import Finished, masking, run
from tasks.terraform.root import TERRAFORM, TerraformRoot


def stream_command(
    root: TerraformRoot, stream: MessageStream, accepted: tuple[int, ...], name: str, *arguments: str, **options: object
) -> None:
    """Run a command that prints messages as JSON. Raises what `failure` makes of another exit code."""
    finished = run(
        root,
        _command(name, *arguments, input=False, no_color=IsFlagged, json=IsFlagged, **options),
        stream.take,
    )
    if finished.exit_code not in accepted:
        raise failure(root, name, finished.exit_code, stream.errors)


def log_command(root: TerraformRoot, name: str, *arguments: str, **options: object) -> None:
    """Run a command whose lines go to the log. Raises what `failure` makes of its exit code."""
    lines: list[str] = []
    mask = masking()

    def take(line: str) -> None:
        if line.strip():
            lines.append(mask(line))
            run_log().info("%s", lines[-1])

    finished = run(root, _command(name, *arguments, **options), take)
    if finished.exit_code != 0:
        raise failure(root, name, finished.exit_code, lines)


def read_command(root: TerraformRoot, name: str, *arguments: str, **options: object) -> Finished:
    """Run a command whose output may hold secrets: none of it is logged. Raises what `failure` makes of its code."""
    finished = run(root, _command(name, *arguments, **options), None)
    if finished.exit_code != 0:
        raise failure(root, name, finished.exit_code, [masking()(finished.complaint)])
    return finished


def _command(name: str, *arguments: str, **options: object) -> list[str]:
    return Terraform(terraform_bin_path=TERRAFORM).generate_cmd_string(name, *arguments, **options)
