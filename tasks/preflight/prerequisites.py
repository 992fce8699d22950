"""What a person makes in an account before the first environment: sign-in, a zone, credentials of registries."""

from tasks.environment.edge import Domain
from tasks.preflight.aws import Absent, AwsReader
from tasks.preflight.finding import PreflightFinding


def check_identity_center(aws: AwsReader) -> PreflightFinding:
    """Whether people can sign in to Grafana: it takes them from IAM Identity Center."""
    check = "Identity Center"
    instances = aws.ask("sso-admin", "list_instances")["Instances"]
    active = [instance["InstanceArn"] for instance in instances if instance.get("Status", "ACTIVE") == "ACTIVE"]
    if active:
        return PreflightFinding(check, "ok", active[0])
    # An instance in another region serves as well, and is not seen from here.
    return PreflightFinding(
        check,
        "warning",
        f"not proved: no active instance is seen from {aws.region}",
        "enable IAM Identity Center for the organization, unless it is in another region; or remove "
        "observability.grafana",
    )


def check_hosted_zone(aws: AwsReader, domain: Domain, zone_id: str) -> PreflightFinding:
    """Whether the Route 53 zone exists, is public, and is one that the name can be in."""
    check = "hosted zone"
    try:
        zone = aws.ask("route53", "get_hosted_zone", Id=zone_id)["HostedZone"]
    except Absent:
        remedy = "correct edge.domain.zone_id, or remove it to have a zone made: `aws route53 list-hosted-zones`"
        return PreflightFinding(check, "blocked", f"{zone_id!r} does not exist in the account", remedy)
    name = zone["Name"].rstrip(".")
    if zone.get("Config", {}).get("PrivateZone"):
        remedy = "name a public zone in edge.domain.zone_id: a certificate is proved by public DNS"
        return PreflightFinding(check, "blocked", f"{zone_id!r} ({name}) is private", remedy)
    if domain.name != name and not domain.name.endswith(f".{name}"):
        remedy = "correct edge.domain.name or edge.domain.zone_id"
        return PreflightFinding(check, "blocked", f"{zone_id!r} is of {name!r}, not of {domain.name!r}", remedy)
    return PreflightFinding(check, "ok", f"{zone_id} is of {name}")


def check_registry_credentials(aws: AwsReader, registry: str, secret: str) -> PreflightFinding:
    """Whether the credentials of a cached registry were supplied: ECR tries them when the rule is made."""
    check = f"credentials of {registry}"
    try:
        described = aws.ask("secretsmanager", "describe_secret", SecretId=secret)
    except Absent:
        return PreflightFinding(
            check, "blocked", f"secret {secret!r} does not exist", _supply(aws, f"create-secret --name {secret}")
        )
    if "DeletedDate" in described:
        remedy = f"`aws secretsmanager restore-secret --region {aws.region} --secret-id {secret}`"
        return PreflightFinding(check, "blocked", f"secret {secret!r} is scheduled for deletion", remedy)
    if not any("AWSCURRENT" in stages for stages in described.get("VersionIdsToStages", {}).values()):
        remedy = _supply(aws, f"put-secret-value --secret-id {secret}")
        return PreflightFinding(check, "blocked", f"secret {secret!r} has no value", remedy)
    return PreflightFinding(check, "ok", f"secret {secret} has a value")


def _supply(aws: AwsReader, command: str) -> str:
    """The command with which a person supplies a name and a token without leaving them in the shell's history."""
    content = r'''printf '{"username":"%s","accessToken":"%s"}' "$NAME" "$TOKEN"'''
    read = "read -r NAME; read -rs TOKEN"
    return f"{read}; {content} | aws secretsmanager {command} --region {aws.region} --secret-string file:///dev/stdin"
