"""The section `agents.web_search`: where the key may be, and what is refused."""

import re
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file

SECTION = re.compile(r"\bweb_search +=[ ]\{[^}]*\}")

# the environment, what its section is replaced by, and what the error must say
REFUSED = {
    "secret on a laptop": ("local", 'web_search = { key_secret = "tavily-api-key" }', "needs key_variable in 'local'"),
    "variable on AWS": ("dev", 'web_search = { key_variable = "TAVILY_API_KEY" }', "key_secret in every other"),
    "both": ("dev", 'web_search = { key_variable = "KEY", key_secret = "tavily-api-key" }', "key_variable = 'KEY'"),
    "no key": ("local", "web_search = {}", "key_variable = None and key_secret = None"),
    "secret of nobody": ("dev", 'web_search = { key_secret = "absent" }', "must be a name of data.secrets"),
    "key itself": ("local", 'web_search = { key_variable = "tvly-abc" }', "agents.web_search.key_variable"),
    "too many": ("local", 'web_search = { key_variable = "KEY", results = 21 }', "agents.web_search.results = 21"),
}


def replaced(text: str, section: str) -> str:
    changed, times = SECTION.subn(section, text)
    assert times == 1
    return changed


@pytest.mark.parametrize(("name", "section", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused(name: str, section: str, said: str, tmp_path: Path) -> None:
    text = (REPOSITORY / "infra" / "environments" / f"{name}.tfvars").read_text(encoding="utf-8")
    path = tmp_path / f"{name}.tfvars"
    path.write_text(replaced(text, section), encoding="utf-8")
    with pytest.raises(InvalidEnvironment) as refusal:
        read_variable_file(path)
    assert said in str(refusal.value)


def test_the_section_may_be_left_out(tmp_path: Path) -> None:
    text = (REPOSITORY / "infra" / "environments" / "local.tfvars").read_text(encoding="utf-8")
    path = tmp_path / "local.tfvars"
    path.write_text(replaced(text, ""), encoding="utf-8")
    assert read_variable_file(path).agents.web_search is None


def test_limits_have_defaults() -> None:
    search = load_environment(EnvironmentName.DEV).agents.web_search
    assert search is not None
    assert search.limits["results"] == 5
    assert "key_secret" not in search.limits
