"""What raw content is: its signature, and its text when it claims to be text."""

import codecs

from agents.knowledge.documents import DocumentUnreadable

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive (or an Office file)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE file (an encrypted or old Office file)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ", "xz-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "an RTF file"),
)
_OTHER_UNICODE: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)

# Python knows these codecs; no document is written in them, and some take minutes to decode a long one.
_NOT_FOR_DOCUMENTS = frozenset({"unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "utf-7"})


def document_codec(label: str) -> str:
    """The name of Python's codec for a charset that a document, or whoever sends it, declares.

    Raises:
        LookupError: there is none, or it is not for documents.
    """
    name = codecs.lookup(label).name.replace("_", "-")
    if name in _NOT_FOR_DOCUMENTS:
        raise LookupError(name)
    return name


def recognise(content: bytes) -> str | None:
    """What the first bytes say that the content is, for content that is not text; None when they say nothing."""
    return next((name for signature, name in _SIGNATURES if content.startswith(signature)), None)


def decode(uri: str, content: bytes, encoding: str = "utf-8") -> str:
    """The text of `content`, with line ends as `\\n` and without a byte order mark.

    Raises DocumentUnreadable when the content is of a binary format, holds NUL bytes, or is not in `encoding`;
    the reason names the byte offset.
    """
    if found := recognise(content):
        raise DocumentUnreadable(uri, f"the content is {found}, not what the name says: rename it or leave it out")
    for mark, name in _OTHER_UNICODE:
        if content.startswith(mark):
            raise DocumentUnreadable(uri, f"the text is {name} (byte order mark at byte 0): convert it to UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    if (position := content.find(b"\x00")) >= 0:
        raise DocumentUnreadable(uri, f"NUL at byte {position}: the content is binary, or in an encoding not declared")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        found_bytes = content[error.start : error.start + 4].hex(" ")
        reason = f"not {encoding}: byte {error.start} ({found_bytes}) cannot be decoded; convert it to UTF-8"
        raise DocumentUnreadable(uri, reason) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def well_formed(text: str) -> str:
    """The text with surrogates paired, and those without a partner replaced: what can be encoded as UTF-8."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
