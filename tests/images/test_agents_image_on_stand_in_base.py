"""The image of the online service, built by the Dockerfile and started as a pod starts it."""

import json
import signal
import subprocess
import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import stamina

from tasks.environment import REPOSITORY
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.images.containers import CERTIFICATES, COMMIT, SOURCE, Container, Image, Workshop, stand_in_base
from tests.images.locks import locked
from tests.ports import free_port

pytestmark = pytest.mark.buildah
STARTED_WITHIN_SECONDS = 300
# checkov brings CycloneDX's own library and schemas.
CYCLONEDX = REPOSITORY / ".venv-checkov" / "bin" / "python"


@pytest.fixture(scope="module")
def image(images: Workshop) -> Image:
    return images.build("agents")


@pytest.fixture(scope="module")
def container(image: Image) -> Iterator[Container]:
    with image.mounted() as container:
        yield container


@pytest.fixture
def settings_directory(tmp_path: Path) -> Path:
    """The settings of a service whose gateway does not answer, over a store that has nothing yet."""
    port = free_port()
    settings = service_settings("http://127.0.0.1:9/v1", Path("/tmp/store")).model_copy(update={"port": port})
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "settings.json").write_text(settings.model_dump_json(), encoding="utf-8")
    return tmp_path / "files"


VARIABLES = {"AGENTS_SETTINGS": "/tmp/settings.json", KEY_VARIABLE: "any"}


@contextmanager
def serving(container: Container, files: Path) -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = json.loads((files / "settings.json").read_text(encoding="utf-8"))["port"]
    url, log = f"http://127.0.0.1:{port}", files.parent / "service.log"
    with log.open("wb") as output:
        service = subprocess.Popen(container.command(files, VARIABLES), stdout=output, stderr=subprocess.STDOUT)
    try:
        errors = (httpx.TransportError, AssertionError)
        for attempt in stamina.retry_context(on=errors, timeout=STARTED_WITHIN_SECONDS, attempts=None, wait_max=0.5):
            with attempt:
                if service.poll() is not None:
                    pytest.fail(log.read_text(encoding="utf-8"))
                assert httpx.get(f"{url}/healthz", timeout=60).status_code == 200
        yield url, service
    finally:
        service.terminate()
        service.wait(timeout=60)


def in_container(container: Container, files: Path, *program: str) -> "subprocess.CompletedProcess[str]":
    return container.run(files, VARIABLES, program, STARTED_WITHIN_SECONDS)


def test_the_service_answers_as_nobody_special_over_a_root_that_cannot_be_written(
    container: Container, settings_directory: Path
) -> None:
    with serving(container, settings_directory) as (url, service):
        status = Path(f"/proc/{service.pid}/status").read_text(encoding="utf-8")
        page = httpx.get(url, timeout=60)
        health = container.configuration["Healthcheck"]["Test"]
        assert health[0] == "CMD"
        healthy = in_container(container, settings_directory, *health[1:])
        written = in_container(container, settings_directory, "touch", "/app/written")

    assert "Uid:\t1000\t1000\t1000\t1000" in status
    assert page.status_code == 200
    assert healthy.returncode == 0, healthy.stderr
    assert "Read-only file system" in written.stderr
    # It ends by the signal that it was told to end with.
    assert service.returncode == -signal.SIGTERM


def test_without_the_service_its_health_check_fails(container: Container, settings_directory: Path) -> None:
    health = container.configuration["Healthcheck"]["Test"]
    assert in_container(container, settings_directory, *health[1:]).returncode != 0


def test_it_holds_the_lock_and_neither_the_orchestrator_nor_the_batch_engine(container: Container) -> None:
    document = json.loads((container.root / "opt" / "bill-of-materials.json").read_text(encoding="utf-8"))
    installed = {
        component["name"]: component["version"]
        for component in document["components"]
        if component["purl"].startswith("pkg:pypi/")
    }
    wanted = locked("agents.txt")
    assert installed.items() <= wanted.items()
    # What only other systems need is in a lock for all of them.
    assert {"fastapi", "lancedb", "openai", "tokenizers"} <= installed.keys()
    assert not {"prefect", "ray", "litellm", "pip", "uv"} & installed.keys()
    assert sorted(path.name for path in (container.root / "app").iterdir()) == ["agents"]


def test_every_module_of_it_can_be_imported(container: Container, settings_directory: Path) -> None:
    program = (
        "import importlib, pkgutil, sys, agents\n"
        "names = [module.name for module in pkgutil.walk_packages(agents.__path__, 'agents.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(len(names), sorted({'prefect', 'ray', 'tasks', 'flows'} & set(sys.modules)))"
    )
    outcome = in_container(container, settings_directory, "python", "-c", program)
    assert outcome.returncode == 0, outcome.stderr
    count, found = outcome.stdout.split(maxsplit=1)
    assert int(count) > 50
    assert found.strip() == "[]"


def test_nothing_that_the_machine_lent_to_the_build_is_in_it(container: Container) -> None:
    assert not (container.root / "etc" / "pip.conf").exists()
    assert not (container.root / "etc" / "uv").exists()
    assert not (container.root / "build").exists()
    inside = (container.root / CERTIFICATES.relative_to("/")).read_bytes()
    with tarfile.open(stand_in_base()) as base:
        before = base.extractfile(f".{CERTIFICATES}")
        assert before is not None
        assert inside == before.read()


def test_it_is_compiled_belongs_to_root_and_says_what_it_is(container: Container) -> None:
    version = "cpython-313"
    for source in (container.root / "app" / "agents").rglob("*.py"):
        assert (source.parent / "__pycache__" / f"{source.stem}.{version}.pyc").exists(), source
    owners = {path.lstat().st_uid for place in ("app", "opt") for path in (container.root / place).rglob("*")}
    assert owners == {0}
    labels = container.configuration["Labels"]
    assert labels["org.opencontainers.image.revision"] == COMMIT
    assert labels["org.opencontainers.image.source"] == SOURCE
    assert container.configuration["User"] == "1000:1000"


@pytest.mark.checkov
def test_the_bill_of_materials_is_what_cyclonedx_describes(container: Container) -> None:
    document = container.root / "opt" / "bill-of-materials.json"
    program = (
        "import sys\n"
        "from cyclonedx.schema import SchemaVersion\n"
        "from cyclonedx.validation.json import JsonStrictValidator\n"
        "print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))"
    )
    outcome = subprocess.run([CYCLONEDX, "-c", program, document], capture_output=True, text=True, check=False)
    assert outcome.stdout.strip() == "None", outcome.stdout + outcome.stderr
