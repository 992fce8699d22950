"""What is the case with one secret, before anything is done about it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.environment import Environment
from tasks.secrets.grafana import LIFETIME, RENEWED_AFTER
from tasks.secrets.inventory import GRAFANA_TOKEN, NamedSecret
from tasks.secrets.report import SecretLine, State
from tasks.secrets.vault import BeingDeleted, StoredSecret, Vault


@dataclass(frozen=True)
class Inspected:
    """A secret of the environment file, what Secrets Manager has of it, and what to say of it."""

    named: NamedSecret
    stored: StoredSecret | None
    line: SecretLine
    age: timedelta | None

    @property
    def wants_value(self) -> bool:
        """Whether a value is to be generated: there is none, or it is old; a Grafana token before it expires."""
        if self.named.secret.origin == "person" or self.stored is None:
            return False
        if self.age is None:
            return True
        days = self.named.secret.rotation_days
        limits = [timedelta(days=days)] if days is not None else []
        if self.named.name == GRAFANA_TOKEN:
            limits.append(RENEWED_AFTER)
        return bool(limits) and self.age >= min(limits)


def inspect(settings: Environment, vault: Vault, named: NamedSecret, now: datetime) -> Inspected:
    """Look at one secret, without its value; `now` has a time zone."""
    if named.name == GRAFANA_TOKEN and not _has_grafana(settings):
        line = describe(named, "not needed", to_do="nothing: the environment has no Grafana workspace")
        return Inspected(named, None, line, None)
    try:
        stored = vault.find(named.path)
    except BeingDeleted as error:
        return Inspected(named, None, describe(named, "absent", to_do=str(error)), None)
    if stored is None:
        to_do = f"run provision/{settings.name.value}, which makes {named.path}"
        return Inspected(named, None, describe(named, "absent", to_do=to_do), None)
    age = None if stored.created is None else now - stored.created
    line = replace(_line(settings, named, age), has_former=stored.was_renewed)
    return Inspected(named, stored, line, age)


def describe(named: NamedSecret, state: State, age: timedelta | None = None, to_do: str = "") -> SecretLine:
    """The line of a secret in a report."""
    days = None if age is None else age.days
    return SecretLine(named.name, named.secret.origin, state, named.needed_by, days, to_do)


def _line(settings: Environment, named: NamedSecret, age: timedelta | None) -> SecretLine:
    if named.secret.origin == "person":
        return describe(named, "missing", to_do=named.supply) if age is None else describe(named, "supplied", age)
    to_do = f"run secrets/{settings.name.value}"
    if age is None:
        return describe(named, "missing", to_do=to_do)
    if named.name == GRAFANA_TOKEN and age >= LIFETIME:
        return describe(named, "expired", age, to_do)
    return describe(named, "kept", age)


def _has_grafana(settings: Environment) -> bool:
    return settings.observability is not None and settings.observability.grafana is not None
