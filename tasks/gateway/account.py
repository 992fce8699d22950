"""The gateway's own account of what was spent: by caller and by model, and of that the judge.

Source: https://docs.litellm.ai/docs/proxy/cost_tracking; `view_spend_logs` and `info_key_fn` of the pinned LiteLLM.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter

from tasks.gateway.key import accepted_gateway_key, bearer, forwarded_client
from tasks.gateway.registration import client_of

KEY_DIGITS = 12
# What LiteLLM writes in the place of the hash of its master key.
MASTER = "litellm_proxy_master_key"
NOT_FOUND = 404
BEDROCK = "bedrock/"


class SpendRefused(Exception):
    """The gateway answers, and does not tell what was spent."""


class _Day(BaseModel):
    """One day's sum; beside these fields it has the spend of each key by the hash of the key."""

    model_config = ConfigDict(extra="allow")

    startTime: str  # noqa: N815 - LiteLLM's name
    spend: float
    users: dict[str, float]
    models: dict[str, float]


class _Named(BaseModel):
    key_alias: str | None = None


class _KeyInfo(BaseModel):
    info: _Named


_DAYS = TypeAdapter(list[_Day])
_KEYS = TypeAdapter(dict[str, float])


@dataclass(frozen=True)
class GatewaySpend:
    """US dollars by the price of tokens; `by_caller` by the client's name, or by how else its key is known.

    `judges` are the names of the model that judges. What Bedrock's models cost is part of AWS's bill too.
    """

    by_caller: Mapping[str, float]
    by_model: Mapping[str, float]
    judges: frozenset[str] = frozenset()

    @property
    def rows(self) -> list[dict[str, object]]:
        """A row a caller and a model, the most expensive first; then the judge, whoever asked it."""
        judged = {name: usd for name, usd in self.by_model.items() if name.removeprefix(BEDROCK) in self.judges}
        spent = {"caller": self.by_caller, "model": self.by_model, "judge": judged}
        return [
            {"by": kind, "name": name, "usd": round(usd, 4)}
            for kind, each in spent.items()
            for name, usd in sorted(each.items(), key=lambda line: -line[1])
        ]


def spend_at(
    address: str, keys: Sequence[SecretStr], since: date, until: date, judges: frozenset[str] = frozenset()
) -> GatewaySpend:
    """Ask the gateway at `address` with the one of its master `keys` that it lets in.

    Raises:
        GatewayKeyRefused: it lets none of them in.
        SpendRefused: it refuses, such as one without a database, which counts nothing.
        HTTPError: it does not answer.
    """
    days = {"start_date": since.isoformat(), "end_date": until.isoformat()}
    with forwarded_client(address) as gateway:
        key = accepted_gateway_key(gateway, keys)
        gateway.headers.update(bearer(key))
        answer = gateway.get("/spend/logs", params=days)
        _require(answer)
        by_key, by_model = defaultdict[str, float](float), defaultdict[str, float](float)
        for day in _DAYS.validate_json(answer.content):
            for model, usd in day.models.items():
                by_model[model] += usd
            for hashed, usd in _KEYS.validate_python(day.model_extra).items():
                by_key[hashed] += usd
        by_caller = defaultdict[str, float](float)
        for hashed, usd in by_key.items():
            by_caller[_caller(gateway, hashed)] += usd
    return GatewaySpend(dict(by_caller), dict(by_model), judges)


def _caller(gateway: httpx.Client, hashed: str) -> str:
    """Whose key it is; the gateway still knows the keys that it does not let in any more."""
    if hashed == MASTER:
        return "the master key"
    answer = gateway.get("/key/info", params={"key": hashed})
    alias = None
    if answer.status_code != NOT_FOUND:
        _require(answer)
        alias = _KeyInfo.model_validate_json(answer.content).info.key_alias
    if alias is None:
        return hashed[:KEY_DIGITS]
    return client_of(alias) or alias


def _require(answer: httpx.Response) -> None:
    if not answer.is_success:
        # Without the body, in which a gateway may quote the key.
        raise SpendRefused(
            f"the gateway answers {answer.status_code} to the question what was spent "
            f"({answer.request.method} {answer.request.url.path}): its own log says why"
        )
