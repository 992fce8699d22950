"""Sources: what is listed, what is refused, and what stops a refresh. S3 is a real (emulated) server."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.source_opening import open_source
from agents.knowledge.sources import SourceEmpty, SourceMissing, SourceReader, SourceUnavailable

MEBIBYTE = 1024 * 1024


def write(path: Path, content: bytes = b"text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def paths(source: SourceReader) -> list[str]:
    return [ref.path for ref in source.list()]


def test_a_directory_lists_its_documents_by_path_with_their_sizes(tmp_path: Path) -> None:
    write(tmp_path / "docs/b.md", b"12345")
    write(tmp_path / "docs/a guide/ü.md")
    source = open_source("docs", "file://docs", ["**/*"], tmp_path)
    assert list(source.list()) == [
        DocumentRef("docs", (tmp_path / "docs/b.md").as_uri(), "b.md", 5),
        DocumentRef("docs", (tmp_path / "docs/a guide/ü.md").as_uri(), "a guide/ü.md", 4),
    ]
    assert [source.read(ref, 100) for ref in source.list()] == [b"12345", b"text"]


def test_an_absolute_directory_may_have_spaces_in_its_uri(tmp_path: Path) -> None:
    folder = write(tmp_path / "my files/a.md").parent
    assert paths(open_source("docs", folder.as_uri(), ["**/*"], Path("/nowhere"))) == ["a.md"]
    assert paths(open_source("docs", f"file://{folder}", ["**/*"], Path("/nowhere"))) == ["a.md"]


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (["**/*"], ["top.md", "x.txt", "a/in.md", "a/b/deep.md"]),
        (["**/*.md"], ["top.md", "a/in.md", "a/b/deep.md"]),
        (["*.md"], ["top.md"]),
        (["a/**"], ["a/in.md", "a/b/deep.md"]),
        (["a/*/d??p.[a-m]d", "x.txt"], ["x.txt", "a/b/deep.md"]),
        (["[!t]*.*"], ["x.txt"]),
    ],
)
def test_include_chooses_by_pattern(tmp_path: Path, include: list[str], expected: list[str]) -> None:
    for name in ("top.md", "x.txt", "a/in.md", "a/b/deep.md"):
        write(tmp_path / name)
    assert paths(open_source("docs", "file://.", include, tmp_path)) == expected


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    for name in ("a.md", ".hidden.md", ".git/b.md"):
        write(tmp_path / name)
    assert paths(open_source("docs", "file://.", ["**/*"], tmp_path)) == ["a.md"]


def test_a_pipe_is_listed_and_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    source = open_source("docs", "file://.", ["**/*"], tmp_path)
    (pipe,) = source.list()
    with pytest.raises(DocumentUnreadable, match="it is not a regular file"):
        source.read(pipe, 100)


def test_a_link_is_followed_only_to_a_file_inside_the_source(tmp_path: Path) -> None:
    write(tmp_path / "docs/a.md")
    write(tmp_path / "secret/key.md")
    (tmp_path / "docs/inside.md").symlink_to("a.md")
    (tmp_path / "docs/outside.md").symlink_to("../secret/key.md")
    (tmp_path / "docs/folder").symlink_to("../secret")
    (tmp_path / "docs/loop.md").symlink_to("loop.md")
    (tmp_path / "docs/nowhere.md").symlink_to("gone.md")
    source = open_source("docs", "file://docs", ["**/*"], tmp_path)
    reasons: dict[str, str] = {}
    for ref in source.list():
        try:
            source.read(ref, 100)
        except DocumentUnreadable as unreadable:
            reasons[ref.path] = unreadable.reason
    assert paths(source) == ["a.md", "inside.md", *reasons]
    assert reasons.keys() == {"loop.md", "nowhere.md", "outside.md"}
    assert "leads out of its source" in reasons["outside.md"]
    assert "No such file" in reasons["nowhere.md"]


def test_a_source_that_does_not_exist_or_is_empty_says_so(tmp_path: Path) -> None:
    write(tmp_path / "file.md")
    write(tmp_path / "docs/a.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceMissing, match=r"'docs': '.*/gone' does not exist"):
        paths(open_source("docs", "file://gone", ["**/*"], tmp_path))
    with pytest.raises(SourceMissing, match="is not a directory"):
        paths(open_source("docs", "file://file.md", ["**/*"], tmp_path))
    with pytest.raises(SourceEmpty, match="it holds no file"):
        paths(open_source("docs", "file://empty", ["**/*"], tmp_path))
    with pytest.raises(SourceEmpty, match=r"none of its 1 files matches include = \['\*\.md'\]"):
        paths(open_source("docs", "file://docs", ["*.md"], tmp_path))
    with pytest.raises(ValueError, match="uri = 'https://x' must be file://<directory> or s3://"):
        open_source("docs", "https://x", ["**/*"], tmp_path)


def test_a_document_that_is_too_large_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "large.md").open("wb") as file:
        file.truncate(200 * MEBIBYTE)
    source = open_source("docs", "file://.", ["**/*"], tmp_path)
    (ref,) = source.list()
    with pytest.raises(DocumentUnreadable, match=r"its 200\.0 MiB are more than the 64\.0 MiB"):
        source.read(ref, 64 * MEBIBYTE)


def test_a_document_that_is_gone_when_it_is_read_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    source = open_source("docs", "file://.", ["**/*"], tmp_path)
    (ref,) = source.list()
    path.unlink()
    with pytest.raises(DocumentUnreadable, match="No such file"):
        source.read(ref, 100)


def test_a_directory_that_cannot_be_listed_stops_the_refresh(tmp_path: Path) -> None:
    write(tmp_path / "a/first.md")
    write(tmp_path / "b/second.md")
    listing = open_source("docs", "file://.", ["**/*"], tmp_path).list()
    assert next(listing).path == "a/first.md"
    shutil.rmtree(tmp_path / "b")
    with pytest.raises(SourceUnavailable, match=r"cannot list .*would look deleted"):
        next(listing)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Client]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield boto3.client("s3")
    server.stop()


@pytest.fixture(scope="module")
def bucket(s3: S3Client) -> str:
    s3.create_bucket(Bucket="library")
    for key in ("docs/a.md", "docs/sub/b c.txt", "docs/sub/", "docs/.hidden.md", "docs-old/x.md"):
        s3.put_object(Bucket="library", Key=key, Body=b"" if key.endswith("/") else key.encode())
    return "library"


def test_a_bucket_lists_what_lies_below_the_prefix(bucket: str, tmp_path: Path) -> None:
    source = open_source("library", f"s3://{bucket}/docs", ["**/*"], tmp_path)
    assert list(source.list()) == [
        DocumentRef("library", "s3://library/docs/a.md", "a.md", 9),
        DocumentRef("library", "s3://library/docs/sub/b c.txt", "sub/b c.txt", 16),
    ]
    assert [source.read(ref, 100) for ref in source.list()] == [b"docs/a.md", b"docs/sub/b c.txt"]
    whole = open_source("library", f"s3://{bucket}", ["**/*.md"], tmp_path)
    assert paths(whole) == ["docs-old/x.md", "docs/a.md"]


def test_a_bucket_lists_more_than_one_page(s3: S3Client, tmp_path: Path) -> None:
    s3.create_bucket(Bucket="many")
    for number in range(1005):
        s3.put_object(Bucket="many", Key=f"{number:04}.md", Body=b"x")
    assert len(paths(open_source("many", "s3://many", ["**/*"], tmp_path))) == 1005


def test_trouble_with_a_bucket_is_told_apart(s3: S3Client, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="there is no bucket 'gone'"):
        paths(open_source("library", "s3://gone/docs", ["**/*"], tmp_path))
    with pytest.raises(SourceEmpty, match="no documents in 's3://library/nothing/'"):
        paths(open_source("library", f"s3://{bucket}/nothing", ["**/*"], tmp_path))
    source = open_source("library", f"s3://{bucket}/docs", ["**/*"], tmp_path)
    with pytest.raises(DocumentUnreadable, match="does not exist"):
        source.read(DocumentRef("library", "s3://library/docs/z.md", "z.md", 1), 100)
    with pytest.raises(DocumentUnreadable, match="more than the"):
        source.read(next(source.list()), 3)


def test_a_bucket_that_does_not_answer_is_unavailable(
    s3: S3Client, closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    source = open_source("library", "s3://library/docs", ["**/*"], tmp_path)
    with pytest.raises(SourceUnavailable, match="cannot use s3://library/docs/"):
        paths(source)
    with pytest.raises(SourceUnavailable, match="cannot use s3://library/docs/"):
        source.read(DocumentRef("library", "s3://library/docs/a.md", "a.md", 9), 100)
