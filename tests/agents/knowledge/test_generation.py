import json

from agents.knowledge.generation import Manifest
from tests.contracts.generations import GUIDE, manifest


def test_what_a_newer_version_recorded_is_read_without_what_is_new_in_it() -> None:
    written = manifest("guide-1", GUIDE)
    recorded = json.loads(written.model_dump_json())
    recorded["licence"] = "Apache-2.0"
    for document in recorded["documents"].values():
        document["language"] = "en"
    assert Manifest.model_validate_json(json.dumps(recorded)) == written
