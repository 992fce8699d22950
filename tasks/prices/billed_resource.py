"""A resource with all that its price depends on."""

from dataclasses import dataclass

from tasks.environment import Environment
from tasks.prices.table import RegionalPrices, UnknownPrice
from tasks.terraform.plan_document import PlanDocument, ResourceChange
from tasks.terraform.planned_attributes import Attributes


@dataclass(frozen=True)
class BilledResource:
    """One resource before or after the apply; `attributes` are those of that moment."""

    attributes: Attributes
    change: ResourceChange
    document: PlanDocument
    settings: Environment
    prices: RegionalPrices
    hours: int

    def number(self, *path: str | int) -> float:
        """A number among the attributes, such as how many instances there are or GiB of storage.

        Raises:
            UnknownPrice: there is none, or it is known after the apply only.
        """
        value = self.attributes.at(*path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UnknownPrice(f"the plan does not say {'.'.join(map(str, path))}")
        return value
