"""A minimal PDF, written with pypdf's own objects."""

import io
from collections.abc import Sequence

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def pdf_file(pages: Sequence[str], password: str | None = None, owner_password: str | None = None) -> bytes:
    """One line of text a page; with `password` nobody else opens it, with only `owner_password` everyone does."""
    writer = PdfWriter()
    for line in pages:
        page = writer.add_blank_page(width=600, height=800)
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        fonts = DictionaryObject(
            {NameObject("/F1"): DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})}
        )
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 72 700 Td ({line}) Tj ET".encode("latin-1"))
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = writer._add_object(content)  # pyright: ignore[reportPrivateUsage]
    if password is not None or owner_password is not None:
        writer.encrypt(password or "", owner_password, algorithm="AES-256")
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()
