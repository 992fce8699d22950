"""Programs are built by the real Go, from a module that needs no network."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.cluster.builds import CannotBuild, built, is_built, why_not_built
from rehearsal.cluster.programs import Correction, Source

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.skipif(
        shutil.which("go") is None, reason="go is not on PATH; what was built before suffices for the rest"
    ),
]

PROGRAM = """package main

import "fmt"

var Version = "none"

func main() { fmt.Println("listens on", ":1", Version) }
"""
CORRECTION = Correction("greeter/main.go", '":1"', '"127.0.0.1:1"')


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A Go module that requires another, as ours do; the cache is a new one."""
    # Go's own cache lies there, too: without it, every test would compile the standard library.
    compiled = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True, timeout=60)
    monkeypatch.setenv("GOCACHE", compiled.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (theirs / "greeter").mkdir(parents=True)
    (theirs / "greeter" / "main.go").write_text(PROGRAM)
    (theirs / "crds").mkdir()
    (theirs / "crds" / "definition.yaml").write_text("kind: Definition\n")
    (theirs / "go.mod").write_text("module example.com/theirs\n\ngo 1.25.0\n")
    ours.mkdir()
    (ours / "go.sum").write_text("")
    (ours / "go.mod").write_text(
        "module example.com/ours\n\ngo 1.25.0\n\nrequire example.com/theirs v1.2.3\n\n"
        "replace example.com/theirs => ../theirs\n\ntool example.com/theirs/greeter\n"
    )
    return Source(
        name="greeter",
        directory=ours,
        module="example.com/theirs",
        packages={"greeter": "example.com/theirs/greeter"},
        stamps={"main.Version": "{version}-{major}-{minor}"},
        manifests=("crds/*.yaml",),
    )


def said(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_programs_know_their_version_and_bring_their_manifests(source: Source) -> None:
    made = built(source)

    assert said(made.programs["greeter"]) == "listens on :1 v1.2.3-1-2"
    assert (made.manifests / "definition.yaml").read_text() == "kind: Definition\n"


def test_a_version_is_built_once(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    program = built(source).programs["greeter"]
    first = program.stat().st_ino
    monkeypatch.setenv("PATH", "")

    assert built(source).programs["greeter"].stat().st_ino == first
    assert is_built(source)
    assert why_not_built(source) is None


def test_another_pin_is_another_build(source: Source) -> None:
    built(source)
    go_mod = source.directory / "go.mod"
    go_mod.write_text(go_mod.read_text().replace("v1.2.3", "v1.3.0"))

    assert not is_built(source)
    assert said(built(source).programs["greeter"]).endswith("v1.3.0-1-3")


def test_two_processes_build_it_once(source: Source, tmp_path: Path) -> None:
    code = (
        f"from pathlib import Path, PosixPath\nfrom rehearsal.cluster.builds import built\n"
        f"from rehearsal.cluster.programs import Source\nprint(built({source!r}).programs['greeter'].stat().st_ino)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(2)
    ]

    inodes = [process.communicate(timeout=120)[0] for process in processes]

    assert inodes[0] == inodes[1] != ""
    assert [path.name for path in (tmp_path / "cache" / "agentic-eks" / "cluster").glob(".*")] == []


def test_a_correction_replaces_what_would_do_harm(source: Source) -> None:
    made = built(replace(source, corrections=(CORRECTION,)))

    assert said(made.programs["greeter"]).startswith("listens on 127.0.0.1:1")


def test_a_correction_that_fits_no_more_is_an_error(source: Source) -> None:
    outdated = replace(source, corrections=(replace(CORRECTION, old='":2"'),))

    with pytest.raises(CannotBuild, match=r"has no '\":2\"' in 'greeter/main.go' any more"):
        built(outdated)


def test_without_go_it_says_what_to_install(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert why_not_built(source) == "go is not on PATH, and greeter v1.2.3 was not built before"
    with pytest.raises(CannotBuild, match=r"greeter v1\.2\.3 has to be built.*install Go 1\.26 or newer"):
        built(source)


def test_what_the_compiler_says_is_shown_and_nothing_is_kept(source: Source) -> None:
    (source.directory.parent / "theirs" / "greeter" / "main.go").write_text(
        "package main\n\nfunc main() { nothing() }\n"
    )

    with pytest.raises(CannotBuild, match="undefined: nothing"):
        built(source)
    assert not is_built(source)


def test_a_module_that_is_not_required_is_named(source: Source) -> None:
    with pytest.raises(
        ValueError, match=r"does not require 'example.com/other': run `go get example.com/other@<version>`"
    ):
        built(replace(source, module="example.com/other"))
