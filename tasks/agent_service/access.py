"""Who may use the agent service and how much, in its own terms, derived from the environment file."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from agents.access import settings as access
from tasks.environment import Environment
from tasks.laptop.data_directory import operator_key_file, state_file
from tasks.laptop.secret_file import read_or_create_key
from tasks.resource_names import name_prefix

CLIENT = "agents"
STATE_PASSWORD = "AGENTS_STATE_PASSWORD"  # noqa: S105 - a name
GATE_KEY_VARIABLE = "AGENTS_GATE_KEY"
SECRETS_DIRECTORY = "/etc/agents-secrets"
"""Where the chart mounts the secrets as files, which follow a rotation."""


def access_settings(environment: Environment, outputs: Mapping[str, Any] | None) -> access.Access:
    """Sign-in, state and limits; `outputs` are Terraform's, of an environment on AWS."""
    agents = environment.agents
    required = agents.callers_sign_in
    state = _sqlite(environment) if outputs is None else _postgres(outputs)
    allowance = access.Allowance(**agents.allowance.model_dump()) if agents.allowance else access.Allowance()
    return access.Access(
        sign_in=access.SignIn(
            required=required,
            load_balancer=None if outputs is None else _load_balancer(environment, outputs),
            operator_key_file=_operator_key_file(environment, outputs) if required else None,
        ),
        state=state,
        valkey=None if outputs is None else _valkey(environment, outputs),
        allowance=allowance,
        load=access.Load(**agents.load.model_dump()) if agents.load else access.Load(),
        conversations=(
            access.Conversations(**agents.conversations.model_dump())
            if agents.conversations
            else access.Conversations()
        ),
    )


def laptop_operator_key(environment: Environment) -> SecretStr | None:
    """The key with which flows and commands ask the laptop's service, made at first use; None where nobody signs in.

    Raises:
        OSError: its file cannot be read or written.
    """
    return read_or_create_key(operator_key_file(environment)) if environment.agents.callers_sign_in else None


def _operator_key_file(environment: Environment, outputs: Mapping[str, Any] | None) -> str:
    return str(operator_key_file(environment)) if outputs is None else f"{SECRETS_DIRECTORY}/{GATE_KEY_VARIABLE}"


def _sqlite(environment: Environment) -> access.SqliteState:
    return access.SqliteState(engine="sqlite", path=str(state_file(environment)))


def _postgres(outputs: Mapping[str, Any]) -> access.PostgresState | None:
    server = outputs["data"]["postgres"].get(CLIENT)
    if server is None:
        return None
    return access.PostgresState(
        engine="postgres",
        host=server["host"],
        port=server["port"],
        database=server["database"],
        user=server["user"],
        password_file=f"{SECRETS_DIRECTORY}/{STATE_PASSWORD}",
    )


def _valkey(environment: Environment, outputs: Mapping[str, Any]) -> access.Valkey | None:
    if environment.data is None or CLIENT not in environment.data.valkey:
        return None
    cache = outputs["valkey"][CLIENT]
    # The cache is called as Terraform calls it: infra/modules/data/valkey.tf.
    own = access.ElastiCache(
        name=f"{name_prefix(environment.name)}-{CLIENT}", region=str(environment.environment.region)
    )
    return access.Valkey(host=cache["host"], port=cache["port"], user=cache["user"], elasticache=own)


def _load_balancer(environment: Environment, outputs: Mapping[str, Any]) -> access.LoadBalancer | None:
    """The load balancer where people sign in, whoever their accounts are with; None where nobody need."""
    sign_in: Mapping[str, Any] | None = outputs["edge"]["sign_in"]
    if sign_in is None:
        return None
    region, account = environment.environment.region, environment.environment.account_id
    partition = str(outputs["firewall"]["web_acl_arn"]).split(":")[1]
    provider: Mapping[str, Any] = sign_in[sign_in["kind"]]
    return access.LoadBalancer(
        signer=(
            # The chart of the service calls it by the environment's name.
            f"arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name_prefix(environment.name)}/"
        ),
        client=provider["client_id"],
        # Cognito's client ids are unique everywhere, another provider's are its own.
        issuer=provider.get("issuer"),
        keys_url=f"https://public-keys.auth.elb.{region}.amazonaws.com",
    )
