"""Where the traces of an environment go, as its file says it."""

from dataclasses import dataclass

from tasks.environment import Environment
from tasks.environment.addons import LANGFUSE_KEY, CloudLangfuse
from tasks.resource_names import name_prefix

SECRET_VARIABLE = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable
NAMESPACE, PORT = "langfuse", 3000
IN_CLUSTER = f"http://langfuse-web.{NAMESPACE}.svc.cluster.local:{PORT}"
"""The service that Langfuse's own chart makes."""


@dataclass(frozen=True)
class LangfuseProject:
    """A project of a Langfuse; its secret key is in `secret_variable`, on AWS out of the secret `secret_name`."""

    host: str
    public_key: str
    secret_variable: str
    secret_name: str | None


def langfuse_project(environment: Environment) -> LangfuseProject | None:
    """The one place where traces go; None when they go nowhere."""
    tracing = environment.agents.tracing
    if tracing is not None:
        return LangfuseProject(tracing.host, tracing.public_key, tracing.secret_key_variable, None)
    if environment.addons is None or environment.addons.langfuse is None:
        return None
    langfuse, prefix = environment.addons.langfuse, name_prefix(environment.name)
    secret = f"{prefix}/{LANGFUSE_KEY}"
    if isinstance(langfuse, CloudLangfuse):
        return LangfuseProject(langfuse.host, langfuse.public_key, SECRET_VARIABLE, secret)
    # Langfuse makes its first project with the keys that it is given; the public one is a name and no secret.
    return LangfuseProject(IN_CLUSTER, f"pk-lf-{prefix}", SECRET_VARIABLE, secret)
