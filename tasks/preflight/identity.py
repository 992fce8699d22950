"""Who asks: the account that the credentials belong to, and how long they last."""

from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError

from tasks.aws_session import HOW_TO_GET
from tasks.environment import Environment
from tasks.preflight.aws import AwsReader, NotProved
from tasks.preflight.finding import PreflightFinding

# Seconds. A first apply takes up to an hour: databases and the search domain are slow.
TOO_SHORT, SHORT = 15 * 60, 60 * 60
# Where these come from, new ones are fetched unattended before the old ones end.
RENEWED_UNATTENDED = ("iam-role", "container-role", "assume-role-with-web-identity")
RENEW = "sign in again (`aws sso login`, or assume the role anew), and start the run again"


def check_account(aws: AwsReader, settings: Environment) -> PreflightFinding:
    """Whether the credentials belong to the account that the file names; not knowing it stops a run, too."""
    wanted = settings.environment.account_id
    try:
        caller = aws.ask("sts", "get_caller_identity")
    except NotProved as error:
        found = f"environment.account_id = {wanted!r} is not proved: {error}"
        return PreflightFinding("account", "blocked", found, error.remedy)
    found = f"{caller['Arn']} of account {caller['Account']!r}"
    if caller["Account"] == wanted:
        return PreflightFinding("account", "ok", found)
    return PreflightFinding(
        "account",
        "blocked",
        f"{found}, but environment.account_id = {wanted!r}",
        f"use credentials of account {wanted!r} (AWS_PROFILE), or correct environment.account_id",
    )


def check_credentials(aws: AwsReader) -> PreflightFinding:
    """Whether there are credentials, and whether they outlive an apply."""
    try:
        credentials = aws.session.get_credentials()
        if isinstance(credentials, RefreshableCredentials):
            credentials.get_frozen_credentials()  # fetches new ones where the old ones end soon
    except BotoCoreError as error:  # an SSO session that ended, a role that may not be assumed
        return PreflightFinding("credentials", "blocked", str(error), RENEW)
    if credentials is None:
        return PreflightFinding("credentials", "blocked", "there are none", HOW_TO_GET)
    return _lifetime(credentials)


def _lifetime(credentials: Credentials) -> PreflightFinding:
    if not isinstance(credentials, RefreshableCredentials):
        if credentials.token is None:
            return PreflightFinding("credentials", "ok", "long-lived keys, which do not expire")
        return PreflightFinding(
            "credentials",
            "warning",
            "not proved: temporary keys that do not say when they expire",
            "give AWS_CREDENTIAL_EXPIRATION with them, or make sure that they last an hour",
        )
    method = str(credentials.method)
    if method in RENEWED_UNATTENDED:
        return PreflightFinding("credentials", "ok", f"of {method}, renewed by themselves")
    if credentials.refresh_needed(TOO_SHORT):
        return PreflightFinding("credentials", "blocked", f"of {method}, expire in less than 15 minutes", RENEW)
    if credentials.refresh_needed(SHORT):
        return PreflightFinding("credentials", "warning", f"of {method}, expire in less than an hour", RENEW)
    return PreflightFinding("credentials", "ok", f"of {method}, last longer than an hour")
