"""Documents that cannot be read: each is one clear error that names the document and the reason."""

import gzip
import io
import pickle
import struct
import subprocess
import sys
import zipfile
from importlib.metadata import version

import docx
import pytest

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.parser_versions import parser_versions
from agents.knowledge.parsing import parse
from tests.agents.knowledge.pdf_file import pdf_file

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def zip_file(**entries: str) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return output.getvalue()


def word_file(text: str) -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def damaged_word_file() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word_file("text"))) as whole, zipfile.ZipFile(output, "w") as damaged:
        for entry in whole.infolist():
            damaged.writestr(entry, b"<w:doc" if entry.filename == "word/document.xml" else whole.read(entry))
    return output.getvalue()


def packed_otherwise(*, flags: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A Word document whose entries say in both of their headers that they are packed by a program like WinZip."""
    content = bytearray(word_file("text"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            struct.pack_into("<HH", content, position + offset, flags, method)
            position = content.find(signature, position + 4)
    return bytes(content)


def certificate_pdf() -> bytes:
    """A PDF that is encrypted for the holder of a certificate (PDF 2.0, 7.6.5) and not by a password."""
    by_password = pdf_file(["text"], password="secret")
    assert b"/Filter /Standard" in by_password
    return by_password.replace(b"/Filter /Standard", b"/Filter /Adobe.PubSec")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("a.md", b"", "empty (0 bytes)", id="empty"),
        pytest.param("a.md", b" \n\t\n", "holds no text", id="blank"),
        pytest.param("a.html", b"<html><body><script>x</script></body></html>", "holds no text", id="only-script"),
        pytest.param("a.html", b"<!-- -->", "holds no text", id="only-comment"),
        pytest.param("a.png", PNG, "'.png' is not supported", id="unsupported"),
        pytest.param("Makefile", b"all:", "'' is not supported", id="without-ending"),
        pytest.param("a.md", pdf_file(["text"]), "content is a PDF", id="pdf-called-md"),
        pytest.param("a.html", zip_file(a="x"), "content is a zip archive", id="zip-called-html"),
        pytest.param("a.txt", PNG, "content is a PNG image", id="png-called-txt"),
        pytest.param("a.csv", gzip.compress(b"a,b"), "content is gzip-compressed", id="gzip-called-csv"),
        pytest.param("a.pdf", b"# Markdown", "content is not a PDF", id="md-called-pdf"),
        pytest.param("a.docx", b"# Markdown", "not a zip archive, not a Word document", id="md-called-docx"),
        pytest.param("a.docx", zip_file(a="x"), "zip archive, but no Word document", id="zip-called-docx"),
        pytest.param("a.md", b"abc\x00def", "NUL at byte 3", id="nul"),
        pytest.param("a.txt", "größe".encode("utf-16"), "UTF-16 (byte order mark at byte 0)", id="utf-16"),
        pytest.param("a.md", "grün".encode("latin-1"), "not utf-8: byte 2 (fc 6e)", id="latin-1"),
        pytest.param("a.html", b"<meta charset=latin1>\x81", "not windows-1252: byte 21 (81)", id="wrong-charset"),
        pytest.param("a.html", b"<meta charset='klingon'>x", "unknown charset 'klingon' at byte 15", id="no-charset"),
        pytest.param("a.html", b"<meta charset='hex'>00", "unknown charset 'hex'", id="charset-that-is-none"),
        pytest.param("a.html", b"<meta charset=unicode_escape>x", "unknown charset", id="charset-of-python"),
        pytest.param("a.pdf", pdf_file(["text"], password="secret"), "it is encrypted", id="encrypted-pdf"),
        pytest.param("a.pdf", pdf_file([""]), "hold no text (a scan?)", id="scanned-pdf"),
        pytest.param("a.pdf", pdf_file(["text"])[:200], "the PDF is damaged", id="cut-pdf"),
        pytest.param("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 20, "the PDF is damaged", id="garbage-pdf"),
        pytest.param("a.docx", OLE, "it is encrypted, or in Word's format before 2007", id="encrypted-docx"),
        pytest.param("a.docx", word_file("text")[:-30], "not a Word document", id="cut-docx"),
        pytest.param("a.docx", damaged_word_file(), "the Word document is damaged", id="damaged-docx"),
        pytest.param("a.docx", word_file(""), "holds no text", id="empty-docx"),
        pytest.param("a.csv", b'a,b\n1,2\n"open,2\n', "is not CSV", id="open-quote"),
        pytest.param("a.csv", b"a,b\n1,2,3\n", "line 2 has 3 cells, the header has 2", id="ragged-csv"),
        pytest.param("a.csv", b"a,b\n", "holds no text", id="header-only"),
        pytest.param("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2 is not JSON", id="cut-jsonl"),
        pytest.param("a.jsonl", b"[" * 100_000, "line 1 is not JSON", id="deep-jsonl"),
        pytest.param("a.pdf", certificate_pdf(), "NotImplementedError: only Standard PDF", id="certificate-pdf"),
        pytest.param("a.docx", packed_otherwise(method=9), "NotImplementedError: That", id="deflate64-docx"),
        pytest.param("a.docx", packed_otherwise(flags=1), "RuntimeError: File '[Con", id="encrypted-zip-docx"),
        pytest.param("a.jsonl", b"[" * 600 + b"1" + b"]" * 600, "RecursionError: maximum", id="nested-jsonl"),
    ],
)
def test_an_unreadable_document_is_one_clear_error(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        parse(DocumentRef("docs", f"file:///docs/{name}", name, len(content)), content)
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"file:///docs/{name}: ")


def test_a_pdf_that_everyone_may_open_is_read_although_it_is_encrypted() -> None:
    content = pdf_file(["Open to all"], owner_password="owner")
    assert parse(DocumentRef("docs", "file:///a.pdf", "a.pdf", len(content)), content).text == "Open to all"


def test_the_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DocumentUnreadable("file:///a.md", "it is empty")))  # noqa: S301
    assert (error.uri, error.reason, str(error)) == ("file:///a.md", "it is empty", "file:///a.md: it is empty")


WITHOUT_MEMORY = """
import resource
from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.parsing import parse
content = b"The pear tree ripens late. " * 4_000_000
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**24, used + 2**24))
try:
    parse(DocumentRef("docs", "file:///a.txt", "a.txt", len(content)), content)
except DocumentUnreadable as error:
    print(error.passing, error.reason)
"""


def test_a_machine_without_memory_is_not_the_fault_of_the_document() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout.startswith("True this machine could not read it (MemoryError: "), ran.stderr


def test_what_reads_a_document_is_named_with_its_version() -> None:
    assert parser_versions("handbook/Pears.PDF") == f"pypdf {version('pypdf')}"
    assert parser_versions("a.docx") == f"python-docx {version('python-docx')}, lxml {version('lxml')}"
    assert parser_versions("a.md").startswith("markdown-it-py ")
    assert parser_versions("a.txt") == parser_versions("a.csv") == ""
