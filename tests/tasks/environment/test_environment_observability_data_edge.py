from pathlib import Path

import pytest

from tasks.environment.variable_file import read_variable_file
from tests.tasks.environment.prod_file import PROD, refusal_of_prod, require_prod_refused

GRAFANA_RANGE = 'allowed_cidrs = ["203.0.113.0/24"]'
SEARCH = 'instance_type     = "r7g.large.search"'
POSTGRES = 'agents   = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 50'
VALKEY = 'agents   = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 3 }'
BACKUP = "backup = { point_in_time_days = 35, snapshot_days = 90, start_hour = 3, database_drill = {} }"
SIGN_IN = 'sign_in         = { kind = "cognito", mfa = "required" }'
OIDC = """sign_in = {
    kind                   = "oidc"
    issuer                 = "https://id.example.com"
    authorization_endpoint = "https://id.example.com/authorize"
    token_endpoint         = "https://id.example.com/token"
    user_info_endpoint     = "https://id.example.com/user"
    client_id              = "the-load-balancer"
    client_secret          = "tavily-api-key"
  }"""

# what is replaced in prod.tfvars, by what, and what the error must say
REFUSED = {
    # observability
    "retention that CloudWatch lacks": ("log_days = 365\n  pod", "log_days = 366\n  pod", ["log_days = 366", "400"]),
    "retention of pods": ("ray = 90", "ray = 91", ["observability.pod_logs.ray = 91, but it must be 1, 3, 5"]),
    "no namespace": ("ray = 90", "Ray = 90", ["pod_logs has 'Ray'", "Kubernetes namespace"]),
    "metrics for ever": ("retention_days = 400", "retention_days = 1096", ["from 1 to 1095"]),
    "collected too often": ("scrape_seconds = 30", "scrape_seconds = 15", ["scrape_seconds = 15", "from 30 to 300"]),
    "alert to no address": ("on-call@example.com", "on-call", ['alerts.emails.0 = "on-call"', "a mail address"]),
    "alert to nobody": ('["on-call@example.com"]', "[]", ["observability.alerts.emails = []", "at least one"]),
    "unknown Grafana": ('"10.4"', '"8.4"', ["observability.grafana.version = \"8.4\", but it must be '9.4' or '10.4'"]),
    "Grafana for everybody": (
        GRAFANA_RANGE,
        'allowed_cidrs = ["0.0.0.0/0"]',
        ["grafana.allowed_cidrs.0: '0.0.0.0/0' is everybody"],
    ),
    "range that is none": (GRAFANA_RANGE, 'allowed_cidrs = ["203.0.113.7/24"]', ["not an IPv4 range", "host bits"]),
    "group by name": ("11111111-2222-3333-4444-555555555555", "admins", ["grafana.admins.0", "Identity Center group"]),
    # data
    "kept no day": ("noncurrent_days = 90", "noncurrent_days = 0", ["data.buckets.noncurrent_days = 0", "1 or more"]),
    "repository twice": ('"flows", "ray"]', '"ray", "ray"]', ["data.images: repositories has one more than once"]),
    "image without a repository": (
        '"flows", "ray"]',
        '"ray"]',
        ["data.images: repositories lacks flows: every image of the project needs one, agents, flows, ray"],
    ),
    "repository of no image": (
        '"flows", "ray"]',
        '"flows", "models"]',
        ["data.images.repositories.2 = \"models\", but it must be 'agents', 'flows' or 'ray'"],
    ),
    "unknown registry": ('"quay.io"', '"quay.example.com"', ["pull_through.quay.registry", "'ghcr.io'"]),
    "registry without credentials": ('"quay.io"', '"ghcr.io"', ["registry = 'ghcr.io'", "every other needs one"]),
    "prefix in capitals": ("quay       =", "Quay =", ["pull_through has the prefix 'Quay'"]),
    "search version": ("OpenSearch_3.3", "3.3", ["data.search.engine_version", 'such as "OpenSearch_3.3"']),
    "search on x86": (SEARCH, 'instance_type = "r7i.large.search"', ["search.instance_type", "Graviton (arm64)"]),
    "unequal zones": ("instance_count    = 3", "instance_count = 4", ["instance_count = 4 must be a multiple of 3"]),
    "two zones": ("instance_count    = 3", "instance_count = 2", ["search.instance_count = 2", "3 or more"]),
    "secret of nobody": ('origin = "person"', 'origin = "found"', ["secrets.tavily-api-key.origin", "'generated'"]),
    "person who rotates": (
        '{ origin = "person" }',
        '{ origin = "person", rotation_days = 9 }',
        ["rotation_days = 9 needs origin = 'generated'"],
    ),
    "secret in capitals": ("\n    tavily-api-key", "\n    TAVILY", ["secrets has 'TAVILY'"]),
    "database of a stranger": (
        "agents   = { major",
        "agent = { major",
        ["postgres has the unknown key 'agent'; did you"],
    ),
    "database on x86": (POSTGRES, POSTGRES.replace("m7g", "m7i"), ["postgres.agents.instance_class", "db.t4g.micro"]),
    "minor version": (POSTGRES, POSTGRES.replace('"17"', '"17.2"'), ["postgres.agents.major_version", "15 to 19"]),
    "cache on x86": (VALKEY, VALKEY.replace("m7g", "m5"), ["valkey.agents.node_type", "cache.t4g.micro"]),
    "cache without nodes": (VALKEY, VALKEY.replace("nodes = 3", "nodes = 0"), ["valkey.agents.nodes = 0", "1 to 6"]),
    "protected without backups": (BACKUP, "", ["protected = true: data.backup is missing"]),
    "hour that never comes": (BACKUP, BACKUP.replace("hour = 3", "hour = 24"), ["start_hour = 24", "from 0 to 23"]),
    "second too far back": (BACKUP, BACKUP.replace("= 35", "= 36"), ["point_in_time_days = 36", "from 1 to 35"]),
    "drill without a minute": (BACKUP, BACKUP.replace("{}", "{ time_minutes = 0 }"), ["time_minutes = 0", "1 or more"]),
    # edge
    "URL for a name": ('"assistant.example.com"', '"https://assistant.example.com"', ["edge.domain.name", "DNS name"]),
    "zone by name": (
        'name = "assistant.example.com"',
        'name = "assistant.example.com", zone_id = "example.com"',
        ["edge.domain.zone_id", "Z0123456789ABCDEFGHIJ"],
    ),
    "request smaller than a question": (
        "= 262144",
        "= 1024",
        ["largest_request_bytes = 1024 must be agents.question_"],
    ),
    "rule that always counts": (
        "= 262144",
        '= 262144, count_only = ["SizeRestrictions_BODY"]',
        ["'SizeRestrictions_BODY', which always only counts"],
    ),
    "unknown sign-in": ('"cognito"', '"ldap"', ["edge.sign_in.kind = \"ldap\", but it must be 'cognito' or 'oidc'"]),
    "Cognito with an issuer": (
        'mfa = "required"',
        'mfa = "required", issuer = "https://id.example.com"',
        ["edge.sign_in has the unknown key 'issuer'"],
    ),
    "provider by plain http": (SIGN_IN, OIDC.replace("https://id.example.com/token", "http://t"), ["token_endpoint"]),
    "client with a blank": (SIGN_IN, OIDC.replace('"the-load', '"the load'), ["edge.sign_in.client_id", "no blanks"]),
    "provider without its secret": (
        SIGN_IN,
        OIDC.replace("tavily-api-key", "absent"),
        ["edge.sign_in.client_secret = 'absent' must be a name of data.secrets", "tavily-api-key, weights-token"],
    ),
    "sign-in without a name": (
        '{ name = "assistant.example.com" }',
        "null",
        ["edge: sign_in.kind = 'cognito' needs edge.domain"],
    ),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused_by_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_prod_refused(tmp_path, old, new, fragments)


def test_an_identity_provider_elsewhere_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "prod.tfvars"
    path.write_text(PROD.replace(SIGN_IN, OIDC), encoding="utf-8")
    edge = read_variable_file(path).edge
    assert edge is not None
    assert edge.sign_in is not None
    assert edge.sign_in.kind == "oidc"


@pytest.mark.parametrize(
    ("section", "following"),
    [("observability", "# ---- data"), ("data", "# ---- edge"), ("edge", "# ---- operations")],
)
def test_an_environment_on_aws_needs_the_section(tmp_path: Path, section: str, following: str) -> None:
    start, end = PROD.index(f"\n{section} = {{"), PROD.index(following)
    assert f"'local' has no section {section}, every other needs it" in refusal_of_prod(
        tmp_path, PROD[:start] + "\n" + PROD[end:]
    )
