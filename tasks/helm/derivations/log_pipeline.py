"""What Fluent Bit does: the logs of a namespace's pods go to its log group, and those of other namespaces nowhere.

The format: https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml
"""

import json
from collections.abc import Mapping
from typing import Any

CONTAINER_LOGS = "/var/log/containers"
STATE = "/var/lib/fluent-bit"
# How long names of CloudWatch's log streams may be is no concern: a pod's name and a container's are 63 each at most.
STREAM = "$kubernetes['pod_name'].$kubernetes['container_name']"


def log_pipeline(log_groups: Mapping[str, str], region: str | None) -> str:
    """The pipeline as a file; JSON is YAML. `log_groups` are the groups by namespace."""
    pipeline = {
        "inputs": [_tail(namespace) for namespace in sorted(log_groups)],
        "filters": [_metadata(namespace) for namespace in sorted(log_groups)],
        "outputs": [_cloudwatch(namespace, group, region) for namespace, group in sorted(log_groups.items())],
    }
    return json.dumps({"service": _service(), "pipeline": pipeline}, indent=2)


def _service() -> Mapping[str, Any]:
    return {
        "flush": 5,
        "log_level": "warn",
        "http_server": True,
        "http_listen": "0.0.0.0",  # noqa: S104 - the kubelet's probes and the metrics collector come from other hosts
        "http_port": 2020,
        "health_check": True,
        "storage.path": f"{STATE}/buffer",
        "storage.sync": "normal",
        # What CloudWatch has not taken yet survives a restart, up to a size that leaves the node its disk.
        "storage.backlog.mem_limit": "16M",
    }


def _tail(namespace: str) -> Mapping[str, Any]:
    return {
        "name": "tail",
        "tag": f"{namespace}.*",
        "path": f"{CONTAINER_LOGS}/*_{namespace}_*.log",
        "multiline.parser": "cri",
        "db": f"{STATE}/{namespace}.db",
        "mem_buf_limit": "8M",
        "skip_long_lines": True,
        "refresh_interval": 10,
        "storage.type": "filesystem",
    }


def _metadata(namespace: str) -> Mapping[str, Any]:
    return {
        "name": "kubernetes",
        "match": f"{namespace}.*",
        # A tag is made of the file's path, with dots in place of slashes.
        "kube_tag_prefix": f"{namespace}{CONTAINER_LOGS.replace('/', '.')}.",
        "merge_log": True,
        "keep_log": False,
        "labels": False,
        "annotations": False,
        "buffer_size": "64k",
    }


def _cloudwatch(namespace: str, group: str, region: str | None) -> Mapping[str, Any]:
    return {
        "name": "cloudwatch_logs",
        "match": f"{namespace}.*",
        "region": region,
        "log_group_name": group,
        "log_stream_prefix": f"{namespace}.",
        "log_stream_template": STREAM,
        # Terraform makes the groups, with an end and a key.
        "auto_create_group": False,
        "retry_limit": 10,
        "storage.total_limit_size": "256M",
    }
