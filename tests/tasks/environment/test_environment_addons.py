"""The section `addons`: what is refused, and what derives from it."""

from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.addons import Addons
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file
from tests.tasks.environment.prod_file import PROD

LANGFUSE = 'langfuse     = { mode = "self_hosted", clickhouse = { replicas = 3, volume_gib = 100 } }'
CLOUD = 'langfuse = { mode = "cloud", host = "https://cloud.langfuse.com", public_key = "pk-lf-1" }'
SECRET = 'langfuse-secret-key          = { origin = "generated" }'
SALT = 'langfuse-salt                = { origin = "generated" }'
POSTGRES = next(line for line in PROD.splitlines() if "langfuse = { major_version" in line)
DOMAIN = 'domain          = { name = "assistant.example.com" }'
SIGN_IN = 'sign_in         = { kind = "cognito", mfa = "required" }'

# what is replaced in prod.tfvars, each by what, and what the error must say
REFUSED = {
    "unknown toggle": (
        {"external_dns =": "external_dsn ="},
        "unknown key 'external_dsn'; did you mean 'external_dns'?",
    ),
    "mode that does not exist": (
        {'mode = "self_hosted"': 'mode = "hosted"'},
        "addons.langfuse.mode = \"hosted\", but it must be 'cloud' or 'self_hosted'",
    ),
    "key of the other mode": (
        {LANGFUSE: CLOUD.replace("}", ", clickhouse = { replicas = 1, volume_gib = 10 } }")},
        "addons.langfuse has the unknown key 'clickhouse'",
    ),
    "replicas without a majority": ({"replicas = 3, volume_gib": "replicas = 2, volume_gib"}, "must be 1 or 3"),
    "deadline that shrinks": (
        {"keda         = true": "keda = true\n  deadline_factor = 0.5"},
        "addons.deadline_factor = 0.5, but it must be a number from 1 to 10",
    ),
    "records without a domain": (
        {DOMAIN: "", SIGN_IN: ""},
        "addons.external_dns = true needs edge.domain, whose records it writes",
    ),
    "no database": (
        {POSTGRES: ""},
        "addons.langfuse.mode = 'self_hosted' needs data.postgres.langfuse; data.postgres has agents, litellm",
    ),
    "no secret": (
        {SECRET: ""},
        "addons.langfuse.mode = 'self_hosted' needs data.secrets.langfuse-secret-key with origin = 'generated'; "
        "there is none",
    ),
    "secret that is renewed": (
        {SALT: SALT.replace("}", ", rotation_days = 90 }")},
        "data.secrets.langfuse-salt.rotation_days = 90: Langfuse takes this secret once",
    ),
    "generated secret of somebody else's Langfuse": (
        {LANGFUSE: CLOUD},
        "addons.langfuse.mode = 'cloud' needs data.secrets.langfuse-secret-key with origin = 'person'; its origin is "
        "'generated'",
    ),
}


@pytest.mark.parametrize(("replaced", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused_by_key_and_what_is_allowed(
    tmp_path: Path, replaced: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidEnvironment) as caught:
        read_variable_file(changed(tmp_path, replaced))
    assert said in str(caught.value)


def test_langfuse_elsewhere_has_no_part_in_the_cluster(tmp_path: Path) -> None:
    key = SECRET.replace('"generated"', '"person"')
    elsewhere = read_variable_file(changed(tmp_path, {LANGFUSE: CLOUD, SECRET: key})).addons
    here = load_environment(EnvironmentName.PROD).addons
    assert elsewhere is not None
    assert here is not None
    assert (elsewhere.langfuse_in_cluster, here.langfuse_in_cluster) == (False, True)


def test_nothing_is_on_by_default() -> None:
    addons = Addons()
    assert (addons.keda, addons.external_dns, addons.langfuse, addons.deadline_factor) == (False, False, None, 1)


def test_aws_needs_the_section_and_a_laptop_has_none(tmp_path: Path) -> None:
    section = PROD[PROD.index("addons = {") : PROD.index("# ---- operations")]
    with pytest.raises(InvalidEnvironment, match="'local' has no section addons, every other needs it"):
        read_variable_file(changed(tmp_path, {section: ""}))


def changed(directory: Path, replaced: dict[str, str]) -> Path:
    """A copy of prod.tfvars in which each text, which is there, is replaced."""
    text = PROD
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    path = directory / "prod.tfvars"
    path.write_text(text, encoding="utf-8")
    return path
