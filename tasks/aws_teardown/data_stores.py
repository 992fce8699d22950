"""What other services refuse to delete while something is in it, or keep after it was deleted."""

import time
from collections.abc import Iterator
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.aws_teardown.doomed import Doomed
from tasks.aws_teardown.names import belongs
from tasks.environment import Environment
from tasks.runs.log import run_log

# As many as ECR takes in one call.
IMAGES = 100
POLL_SECONDS = 5
# AWS deletes a recovery point in the background, in seconds to minutes.
RECOVERY_POINTS_WITHIN_SECONDS = 1800


class NotDeleted(Exception):
    """AWS did not delete something that stands in the way; says what."""


@task(task_run_name="lift-protection-{resource.name}", cache_policy=NO_CACHE, persist_result=False)
def lift_protection(settings: Environment, resource: Doomed) -> None:
    """Take the deletion protection from a database or a user pool of an environment that is not protected (any more).

    Raises:
        NotDeleted: it is a thing whose protection nobody has taught this to lift.
    """
    with explained_credentials():
        match resource.type:
            case "aws_db_instance":
                rds = client("rds", settings)
                rds.modify_db_instance(
                    DBInstanceIdentifier=resource.name, DeletionProtection=False, ApplyImmediately=True
                )
            case "aws_cognito_user_pool":
                cognito = client("cognito-idp", settings)
                cognito.update_user_pool(UserPoolId=resource.identifier, DeletionProtection="INACTIVE")
            case _:
                raise NotDeleted(
                    f"{resource.address} has deletion_protection, and nothing was deleted yet; lift it by hand and run "
                    "teardown again"
                )
    run_log().info("%s is not guarded against deletion any more", resource.address)


@task(task_run_name="empty-repository-{repository}", cache_policy=NO_CACHE, persist_result=False)
def empty_image_repository(settings: Environment, repository: str) -> int:
    """Delete all images of a repository; returns how many. Raises `NotDeleted`."""
    ecr = client("ecr", settings)
    deleted = 0
    try:
        with explained_credentials():
            while images := ecr.list_images(repositoryName=repository, maxResults=IMAGES)["imageIds"]:
                # Without its tags: a digest deletes the image together with all of them.
                digests = [{"imageDigest": digest} for digest in sorted({image["imageDigest"] for image in images})]
                answer = ecr.batch_delete_image(repositoryName=repository, imageIds=digests)
                if len(answer["imageIds"]) == 0:
                    raise NotDeleted(f"ECR deletes no image of {repository!r}: {answer['failures']!r}")
                deleted += len(digests)
    except ecr.exceptions.RepositoryNotFoundException:
        run_log().info("image repository %r is gone already", repository)
        return deleted
    run_log().info("emptied image repository %r of %d images", repository, deleted)
    return deleted


@task(task_run_name="empty-vault-{vault}", cache_policy=NO_CACHE, persist_result=False)
def empty_backup_vault(settings: Environment, vault: str) -> int:
    """Delete all recovery points of a backup vault, and wait until they are gone; returns how many there were.

    Raises:
        NotDeleted: AWS refuses (a vault lock), or takes too long.
    """
    backup = client("backup", settings)
    asked: set[str] = set()
    deadline = time.monotonic() + RECOVERY_POINTS_WITHIN_SECONDS
    with explained_credentials():
        while points := list(_recovery_points(backup, vault)):
            for point in points:
                if point not in asked:
                    backup.delete_recovery_point(BackupVaultName=vault, RecoveryPointArn=point)
                    asked.add(point)
            if time.monotonic() > deadline:
                raise NotDeleted(
                    f"backup vault {vault!r} still has {len(points)} recovery points after "
                    f"{RECOVERY_POINTS_WITHIN_SECONDS} s, such as {points[0]!r}; run teardown again"
                )
            if asked.issuperset(points):
                time.sleep(POLL_SECONDS)
    run_log().info("emptied backup vault %r of %d recovery points", vault, len(asked))
    return len(asked)


@task(task_run_name="delete-secrets", cache_policy=NO_CACHE, persist_result=False)
def delete_secrets(settings: Environment) -> list[str]:
    """Delete the environment's secrets at once, also those that wait for the end of a recovery window; returns them.

    Their names can be used again straight away, as the next `provision` will.
    """
    secrets = client("secretsmanager", settings)
    with explained_credentials():
        pages = secrets.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        names = [str(found["Name"]) for page in pages for found in page["SecretList"]]
        ours = [name for name in names if belongs(settings, name)]
        for name in ours:
            secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    run_log().info("deleted %d secrets that Terraform had left in their recovery window", len(ours))
    return [f"secret {name}" for name in ours]


def _recovery_points(backup: Any, vault: str) -> Iterator[str]:
    try:
        for page in backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault):
            yield from (str(point["RecoveryPointArn"]) for point in page["RecoveryPoints"])
    except backup.exceptions.ResourceNotFoundException:
        run_log().info("backup vault %r is gone already", vault)
