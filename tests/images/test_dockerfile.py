"""What the Dockerfile may and must say, for every target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tasks.environment import REPOSITORY
from tasks.environment.data import IMAGES
from tasks.images.buildah import DOCKERFILE

PINNED = re.compile(r"public\.ecr\.aws/docker/library/[a-z]+:[0-9.]+-slim-[a-z]+@sha256:[0-9a-f]{64}")
ANY_REGISTRY = re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/[a-z0-9./_-]+:[\w.-]+")
SECRET = re.compile(r"(?i)password|secret|token|credential|api_?key")


@dataclass(frozen=True)
class Stage:
    base: str
    instructions: tuple[tuple[str, str], ...]

    def of(self, instruction: str) -> list[str]:
        return [words for name, words in self.instructions if name == instruction]


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name, words) for name, _, words in (line.partition(" ") for line in whole.splitlines() if line)]


def stages() -> Mapping[str, Stage]:
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    body: list[tuple[str, str]] = []
    for name, words in instructions():
        if name == "FROM":
            base, _, stage = words.partition(" AS ")
            body = []
            found[stage] = base, body
        else:
            body.append((name, words))
    return {stage: Stage(base, tuple(body)) for stage, (base, body) in found.items()}


def test_every_image_of_the_project_is_a_target() -> None:
    assert set(IMAGES) <= set(stages())


def test_the_only_image_from_elsewhere_is_a_base_by_digest() -> None:
    (base,) = [words for name, words in instructions() if name == "ARG" and words.startswith("BASE=")]
    assert PINNED.fullmatch(base.removeprefix("BASE="))
    before: set[str] = {"${BASE}"}
    for name, stage in stages().items():
        assert stage.base in before
        before.add(name)
    for name, words in instructions():
        if (name, words) != ("ARG", base):
            assert not ANY_REGISTRY.search(words), words


def test_nothing_is_downloaded_but_by_what_checks_it() -> None:
    assert not [words for name, words in instructions() if name == "ADD"]
    for words in (words for name, words in instructions() if name == "RUN"):
        assert "://" not in words
        assert not re.search(r"\b(curl|wget) ", words.replace("--no-install-recommends libgomp1 wget ", ""))
        installs = words.count("pip install")
        assert words.count("--require-hashes") == installs


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_a_number_that_is_not_root(image: str) -> None:
    stage = stages()[image]
    assert stage.instructions[-1][0] == "CMD"
    (user,) = stage.of("USER")
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", user)
    after = [name for name, _ in stage.instructions[stage.instructions.index(("USER", user)) :]]
    assert not {"RUN", "COPY"} & set(after)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is_made_of(image: str) -> None:
    stage = stages()[image]
    labels = set(re.findall(r'org\.opencontainers\.image\.(\w+)="', " ".join(stage.of("LABEL"))))
    assert labels == {"title", "revision", "source", "licenses"}
    assert any("bill_of_materials.py" in words for words in stage.of("RUN"))


def test_no_secret_is_an_argument_or_a_variable() -> None:
    for name, words in instructions():
        if name in ("ARG", "ENV", "LABEL"):
            assert not SECRET.search(words)


def test_what_is_copied_is_what_the_build_is_given() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source.split("/")[0]
        for stage in stages().values()
        for words in stage.of("COPY")
        if "--from=" not in words
        for source in words.split()[:-1]
    }
    assert "*" in ignored
    assert copied == given
