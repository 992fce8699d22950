"""The table of prices is read strictly, and says how old it is."""

import json
from datetime import date
from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prices import PRICED
from tasks.prices.table import PRICES, InvalidPriceTable, load_price_table


def test_the_table_says_its_age_and_its_sources() -> None:
    table = load_price_table()
    assert date(2025, 1, 1) < table.as_of
    assert all(source.startswith("https://aws.amazon.com/") for source in table.source)


def test_the_regions_of_the_environments_are_priced() -> None:
    used = {load_environment(name).environment.region for name in (EnvironmentName.DEV, EnvironmentName.PROD)}
    assert used <= set(load_price_table().regions)


def test_a_type_is_priced_or_free_or_paid_by_use() -> None:
    table = load_price_table()
    assert not set(PRICED) & table.free
    assert not set(PRICED) & set(table.by_use)
    assert not table.free & set(table.by_use)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"as_of": "lately"}, "as_of"),
        ({"colour": "blue"}, "colour"),
        ({"hours_per_month": 0}, "hours_per_month"),
        ({"regions": {"us-east-1": {"cluster_hour": 0}}}, "cluster_hour"),
    ],
)
def test_another_form_is_refused(tmp_path: Path, change: dict[str, object], what: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({**json.loads(PRICES.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(InvalidPriceTable, match=what) as error:
        load_price_table(file)
    assert str(file) in str(error.value)
