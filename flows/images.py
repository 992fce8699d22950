"""The stage `images`: which of the images that CI built and pushed are those of an environment, by digest."""

import re
from collections.abc import Sequence

from prefect import flow, get_run_logger

from flows import command_line
from tasks.artifacts import publish_table
from tasks.aws_session import require_account
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.git import current_commit
from tasks.images.releasing import ReleasedImage, release_images
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.wrong_input import WrongInput


class NoCommit(WrongInput):
    """It is not said which commit's images are meant, or what is said is none."""


@flow(name="images", persist_result=True, on_running=[record_origin])
def images(environment: EnvironmentName, commit: str | None = None) -> str:
    """Make the images of a commit those that the environment's other stages roll out; an older commit goes back.

    Args:
        environment: the environment whose images are recorded
        commit: the full hash; by default the commit that is checked out where this runs
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        summary = "Nothing to do: a laptop runs from its checkout, and needs no images."
    else:
        with one_at_a_time(environment, "images"):
            require_account(settings)
            released = release_images(settings, whole_commit(commit or current_commit()))
        publish_table(environment, "images", "released", rows(released), "The environment's images")
        summary = f"The images of {environment.value} are {', '.join(image.reference for image in released)}."
    get_run_logger().info(summary)
    return summary


def whole_commit(commit: str | None) -> str:
    """The commit, if it is one.

    Raises:
        NoCommit: it is missing, or shortened: images are tagged with the whole hash.
    """
    if commit is None or not re.fullmatch("[0-9a-f]{40}", commit):
        raise NoCommit(f"commit = {commit!r}: it must be the full hash of a commit, 40 of 0-9 and a-f")
    return commit


def rows(released: Sequence[ReleasedImage]) -> list[dict[str, object]]:
    """A row an image: its digest, the commit that it was made of, and its compressed size for each architecture."""
    return [
        {
            "target": image.name,
            "digest": image.reference.partition("@")[2],
            "commit": image.commit,
            "image": image.reference,
            **{f"{name} MiB": round(stored.size / 2**20) for name, stored in sorted(image.members.items())},
        }
        for image in released
    ]


if __name__ == "__main__":
    command_line.run(images)
