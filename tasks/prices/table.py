"""The dated table of AWS's list prices, `infra/prices.json`."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.environment import REPOSITORY

PRICES = REPOSITORY / "infra" / "prices.json"

Usd = Annotated[float, Field(gt=0, allow_inf_nan=False)]
BySize = Mapping[str, Usd]


class InvalidPriceTable(Exception):
    """The file is no price table; says where it is wrong."""


class UnknownPrice(Exception):
    """The table has no price for this; says for what."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegionalPrices(_Part):
    """US dollars by what is paid for: an hour or a month of one, or a GiB kept for a month, by kind or size."""

    cluster_hour: Usd
    instance_hour: BySize
    volume_gib_month: BySize
    nat_gateway_hour: Usd
    public_address_hour: Usd
    interface_endpoint_hour: Usd
    database_hour: BySize
    database_gib_month: BySize
    cache_hour: BySize
    search_hour: BySize
    search_gib_month: BySize
    key_month: Usd
    secret_month: Usd
    web_acl_month: Usd
    web_acl_rule_month: Usd
    grafana_workspace_month: Usd
    metrics_collector_hour: Usd
    hosted_zone_month: Usd


class PriceTable(_Part):
    """List prices by region; `as_of` is the day of the oldest of them.

    `by_use` are types that cost nothing until they are used, with what is then paid for; `free` never cost anything.
    """

    as_of: date
    note: str
    source: tuple[str, ...]
    hours_per_month: Annotated[int, Field(gt=0)]
    regions: Mapping[str, RegionalPrices]
    by_use: Mapping[str, str]
    free: frozenset[str]


def load_price_table(file: Path = PRICES) -> PriceTable:
    """Read a table of prices.

    Raises:
        InvalidPriceTable: the file does not have the form of one.
    """
    try:
        return PriceTable.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InvalidPriceTable(f"{file} is not a table of prices: {error}") from error


def price_of(prices: BySize, size: object, what: str) -> float:
    """The price of one kind or size, such as an instance type.

    Raises:
        UnknownPrice: the table does not have it, or it is known after the apply only.
    """
    price = prices.get(size) if isinstance(size, str) else None
    if price is None:
        raise UnknownPrice(f"no price for {what} {size!r}")
    return price
