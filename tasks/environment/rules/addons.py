"""Add-ons have the domain, secrets and stores that they stand on."""

from typing import TYPE_CHECKING

from tasks.environment.addons import LANGFUSE_KEY, LANGFUSE_SECRETS

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_what_addons_stand_on(environment: "Environment") -> None:
    """DNS has a domain; Langfuse has its secrets, which are never renewed, and its stores. Raises `ValueError`."""
    if environment.addons is None or environment.data is None or environment.edge is None:
        return
    if environment.addons.external_dns and environment.edge.domain is None:
        raise ValueError("addons.external_dns = true needs edge.domain, whose records it writes")
    if environment.addons.langfuse is None:
        return
    in_cluster, mode = environment.addons.langfuse_in_cluster, environment.addons.langfuse.mode
    origin = "generated" if in_cluster else "person"
    for name in LANGFUSE_SECRETS if in_cluster else (LANGFUSE_KEY,):
        secret = environment.data.secrets.get(name)
        if secret is None or secret.origin != origin:
            found = "there is none" if secret is None else f"its origin is {secret.origin!r}"
            raise ValueError(
                f"addons.langfuse.mode = {mode!r} needs data.secrets.{name} with origin = {origin!r}; {found}"
            )
        if secret.rotation_days is not None:
            raise ValueError(
                f"data.secrets.{name}.rotation_days = {secret.rotation_days}: Langfuse takes this secret once, and "
                "a new one would lock it out of what it keeps; leave rotation_days out"
            )
    for section, clients in (("postgres", environment.data.postgres), ("valkey", environment.data.valkey)):
        if in_cluster and "langfuse" not in clients:
            raise ValueError(
                f"addons.langfuse.mode = {mode!r} needs data.{section}.langfuse; data.{section} has "
                f"{', '.join(sorted(clients)) or 'none'}"
            )
