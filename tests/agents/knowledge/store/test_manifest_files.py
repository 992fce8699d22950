"""Manifests as files, read while another thread seals and drops generations."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agents.knowledge.store.manifest_files import ManifestFiles
from tests.contracts.generations import GUIDE, manifest

ROUNDS = 60


def build_and_drop(files: ManifestFiles) -> None:
    for number in range(ROUNDS):
        building = manifest(f"{'dropped' if number % 2 else 'kept'}{number:02}", GUIDE)
        files.write(building)
        files.write(building.model_copy(update={"state": "ready"}))
        if number % 2:
            files.remove(building.generation)


def test_what_is_sealed_or_dropped_meanwhile_hides_no_other_generation(tmp_path: Path) -> None:
    files = ManifestFiles(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        builds = executor.submit(build_and_drop, ManifestFiles(tmp_path))
        while not builds.done():
            kept = {name for name in files.generations() if name.startswith("kept")}
            assert kept <= {each.generation for each in files.all()}
        builds.result()
    assert [each.state for each in files.all()] == ["ready"] * (ROUNDS // 2)
