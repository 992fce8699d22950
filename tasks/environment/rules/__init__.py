"""What has to fit between the sections of a variable file."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tasks.environment.rules.addons import require_what_addons_stand_on
from tasks.environment.rules.models import require_capacity, require_context, require_judge
from tasks.environment.rules.network import require_edge_for_agents, require_network_for_cluster
from tasks.environment.rules.place import (
    require_backup,
    require_cloud_sections,
    require_sections_of_laptop_or_cloud,
    require_store_for_place,
)
from tasks.environment.rules.secrets import (
    require_gateway_keys,
    require_prefect_credentials,
    require_sign_in,
    require_web_search_key,
)
from tasks.environment.rules.traces import require_one_place_for_traces, require_traces_to_measure

if TYPE_CHECKING:
    from tasks.environment import Environment

RULES: "tuple[Callable[[Environment], None], ...]" = (
    require_sections_of_laptop_or_cloud,
    require_cloud_sections,
    require_web_search_key,
    require_prefect_credentials,
    require_gateway_keys,
    require_one_place_for_traces,
    require_network_for_cluster,
    require_edge_for_agents,
    require_what_addons_stand_on,
    require_sign_in,
    require_backup,
    require_store_for_place,
    require_judge,
    require_traces_to_measure,
    require_capacity,
    require_context,
)
"""In this order, as later ones rely on earlier ones; the first that is broken is told."""
