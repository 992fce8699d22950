"""Databases, caches and search domains: their machines and their disks."""

from tasks.prices.billed_resource import BilledResource
from tasks.prices.table import UnknownPrice, price_of


def database(resource: BilledResource) -> float:
    """An RDS server for PostgreSQL with its storage, twice with a standby, and the secret that RDS keeps for it."""
    engine = resource.attributes.at("engine")
    if engine != "postgres":
        raise UnknownPrice(f"no price for engine {engine!r}")
    prices, attributes = resource.prices, resource.attributes
    hour = price_of(prices.database_hour, attributes.at("instance_class"), "instance class")
    gib = price_of(prices.database_gib_month, attributes.at("storage_type"), "storage type")
    servers = 2 if attributes.at("multi_az") is True else 1
    secret = prices.secret_month if attributes.at("manage_master_user_password") is True else 0.0
    return servers * (hour * resource.hours + gib * resource.number("allocated_storage")) + secret


def cache(resource: BilledResource) -> float:
    """The nodes of a Valkey cache."""
    engine = resource.attributes.at("engine")
    if engine != "valkey":
        raise UnknownPrice(f"no price for engine {engine!r}")
    node = price_of(resource.prices.cache_hour, resource.attributes.at("node_type"), "node type")
    return resource.number("num_cache_clusters") * node * resource.hours


def search_domain(resource: BilledResource) -> float:
    """The data nodes with their volumes, and dedicated masters where there are any."""
    prices, attributes = resource.prices, resource.attributes
    data_node = price_of(prices.search_hour, attributes.at("cluster_config", 0, "instance_type"), "instance type")
    gib = price_of(prices.search_gib_month, attributes.at("ebs_options", 0, "volume_type"), "volume type")
    volume = gib * resource.number("ebs_options", 0, "volume_size")
    data = resource.number("cluster_config", 0, "instance_count") * (data_node * resource.hours + volume)
    if attributes.at("cluster_config", 0, "dedicated_master_enabled") is not True:
        return data
    kind = attributes.at("cluster_config", 0, "dedicated_master_type")
    masters = resource.number("cluster_config", 0, "dedicated_master_count")
    return data + masters * price_of(prices.search_hour, kind, "instance type") * resource.hours
