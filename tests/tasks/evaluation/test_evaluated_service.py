"""The service that an evaluation starts: told what the released one is told, but for one caller and for a while."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from agents.refresh_settings import Refresh
from agents.settings import Langfuse, Settings
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.evaluation.evaluated_service import ServiceEnded, evaluated_service, evaluated_settings
from tasks.helm.derivations.agents import settings_in_cluster
from tests.charts.own_charts import sample_outputs


def released(name: EnvironmentName) -> Settings:
    """What the service is told in the cluster, with a Langfuse whatever the file says."""
    told = settings_in_cluster(load_environment(name), sample_outputs(name))
    langfuse = Langfuse(host="http://langfuse", public_key="pk-lf-1", secret_key_variable="LANGFUSE_SECRET_KEY")
    return told.model_copy(update={"langfuse": langfuse})


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_it_is_told_the_same_of_knowledge_and_models_and_nothing_of_other_callers(
    name: EnvironmentName, tmp_path: Path
) -> None:
    told = released(name)
    alone = evaluated_settings(told, 8123, tmp_path)

    for same in ("environment", "gateway", "models", "store", "fusion", "limits", "routing", "budgets"):
        assert getattr(alone, same) == getattr(told, same), same
    assert (alone.host, alone.port) == ("127.0.0.1", 8123)
    assert told.freshness is not None
    assert alone.freshness is not None
    assert isinstance(told.freshness.refresh, Refresh)
    assert alone.freshness.refresh is None
    assert (alone.langfuse, alone.web_search, alone.access.valkey) == (None, None, None)
    assert alone.access.state is not None
    assert alone.access.state.engine == "sqlite"
    assert not alone.access.sign_in.required
    assert alone.access.allowance.requests_per_minute is None
    # As the service reads it.
    assert Settings.model_validate_json(alone.model_dump_json()) == alone


def test_a_service_that_ends_is_told_and_not_waited_for() -> None:
    told = released(EnvironmentName.DEV)
    said = r"exit code 2 before it answered; it wrote last:\n.*\w"
    with pytest.raises(ServiceEnded, match=said), evaluated_service(told, SecretStr("")):
        pass
