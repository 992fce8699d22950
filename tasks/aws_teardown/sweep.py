"""What is left after `terraform destroy` because AWS services made it: logs, cached images, last snapshots."""

from collections.abc import Iterator

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.aws_teardown.names import belongs
from tasks.aws_teardown.tagged import tagged_arns
from tasks.environment import Environment
from tasks.runs.log import run_log


@task(task_run_name="sweep-up", cache_policy=NO_CACHE, persist_result=False)
def sweep_up(settings: Environment) -> list[str]:
    """Delete what services made in the environment's name, outside of Terraform; returns what went."""
    with explained_credentials():
        gone = [
            *_log_groups(settings),
            *_cached_repositories(settings),
            *_database_snapshots(settings),
            *_cache_snapshots(settings),
        ]
    for what in gone:
        run_log().info("swept up %s", what)
    return gone


def _log_groups(settings: Environment) -> Iterator[str]:
    """A service that logs once more while it is deleted makes its log group again, without end and without a key."""
    logs = client("logs", settings)
    pages = logs.get_paginator("describe_log_groups").paginate()
    for name in [str(group["logGroupName"]) for page in pages for group in page["logGroups"]]:
        if belongs(settings, name):
            logs.delete_log_group(logGroupName=name)
            yield f"log group {name}"


def _cached_repositories(settings: Environment) -> Iterator[str]:
    """ECR makes a repository for every cached image that was ever pulled, tagged as ours by its template."""
    ecr = client("ecr", settings)
    for arn in tagged_arns(settings, ("ecr:repository",)):
        name = arn.partition(":repository/")[2]
        try:
            ecr.delete_repository(repositoryName=name, force=True)
        except ecr.exceptions.RepositoryNotFoundException:
            continue  # Terraform has just deleted it, and the tags are listed for a while still
        yield f"image repository {name}"


def _database_snapshots(settings: Environment) -> Iterator[str]:
    """The last snapshot of a database from the days when the environment was protected."""
    rds = client("rds", settings)
    pages = rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
    for snapshot in [found for page in pages for found in page["DBSnapshots"]]:
        name = str(snapshot["DBSnapshotIdentifier"])
        if belongs(settings, str(snapshot["DBInstanceIdentifier"])):
            rds.delete_db_snapshot(DBSnapshotIdentifier=name)
            yield f"database snapshot {name}"


def _cache_snapshots(settings: Environment) -> Iterator[str]:
    elasticache = client("elasticache", settings)
    pages = elasticache.get_paginator("describe_snapshots").paginate(SnapshotSource="user")
    for name in [str(found["SnapshotName"]) for page in pages for found in page["Snapshots"]]:
        if belongs(settings, name):
            elasticache.delete_snapshot(SnapshotName=name)
            yield f"cache snapshot {name}"
