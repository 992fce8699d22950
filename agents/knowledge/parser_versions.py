"""Which libraries a document's text depends on: another version of one may read what this one gave up on.

Apart from the parsers, which take long to load.
"""

from functools import cache
from importlib.metadata import version
from pathlib import PurePosixPath

_LIBRARIES: dict[str, tuple[str, ...]] = {
    ".md": ("markdown-it-py", "PyYAML"),
    ".markdown": ("markdown-it-py", "PyYAML"),
    ".html": ("lxml",),
    ".htm": ("lxml",),
    ".xhtml": ("lxml",),
    ".pdf": ("pypdf",),
    ".docx": ("python-docx", "lxml"),
}


@cache
def _versions(suffix: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in _LIBRARIES.get(suffix, ()))


def parser_versions(path: str) -> str:
    """The libraries that read a document of this name, with their versions; empty where it is read without."""
    return _versions(PurePosixPath(path).suffix.lower())
