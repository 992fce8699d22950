"""Parsing: the text and the sections that every format becomes."""

import io

import docx
from pypdf import PdfWriter

from agents.knowledge.documents import DocumentRef, ParsedDocument
from agents.knowledge.parsing import parse
from tests.agents.knowledge.pdf_file import pdf_file


def parsed(name: str, content: bytes | str) -> ParsedDocument:
    data = content.encode() if isinstance(content, str) else content
    return parse(DocumentRef("docs", f"file:///docs/{name}", name, len(data)), data)


def sections(document: ParsedDocument) -> list[tuple[tuple[str, ...], str]]:
    return [(section.heading_path, document.text[section.start : section.end].strip()) for section in document.sections]


def test_markdown_text_is_the_source_and_sections_follow_its_headings() -> None:
    source = (
        "Before.\n\n# A *guide* to `up`\n\n> # quoted\n\n"
        "Setext\n------\n\n```sh\n# a comment\n```\n\n### [Deep](x.md)\n\nEnd.\n"
    )
    document = parsed("guide.md", source)
    assert document.text == source
    assert document.title == "A guide to up"
    assert sections(document) == [
        ((), "Before."),
        (("A guide to up",), "# A *guide* to `up`\n\n> # quoted"),
        (("A guide to up", "Setext"), "Setext\n------\n\n```sh\n# a comment\n```"),
        (("A guide to up", "Setext", "Deep"), "### [Deep](x.md)\n\nEnd."),
    ]


def test_markdown_front_matter_gives_the_title_and_a_thematic_break_is_text() -> None:
    document = parsed("guide.md", "---\ntitle: The guide\ntags: [a]\n---\n# Other\n")
    assert (document.title, document.text) == ("The guide", "# Other\n")
    assert parsed("guide.md", "---\nNo: fields: here\n---\nText").text.startswith("---\nNo")


def test_line_ends_and_the_byte_order_mark_are_normalised() -> None:
    assert parsed("a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree").text == "one\ntwo\nthree"


def test_a_document_without_a_title_is_called_by_its_file() -> None:
    assert parsed("folder/backup policy.TXT", "Keep it.").title == "backup policy"


def test_html_keeps_what_people_read_and_drops_the_frame() -> None:
    document = parsed(
        "page.html",
        """<!DOCTYPE html><html><head><title>Site</title><style>x{}</style></head><body>
        <header><h2>Site</h2></header><nav><a>Menu</a></nav>
        <main><article><header><h1>Backups &amp; restore</h1></header>
        <p>Run   <code>make up</code><br>first.<script>alert(1)</script></p>
        <div class="note"><h3>Note</h3><p>Careful.</p></div>
        <ul><li>one</li><li>two<ol><li><p>inner</p></li><li>last</li></ol></li></ul>
        <h2>Listing</h2><pre>
  indented
    more</pre>
        <table><caption>Ports</caption><tr><th>Port</th><th>Use</th></tr><tr><td>80</td><td><p>web</p><p>page</p></td></tr></table>
        <dl><dt>term</dt><dd>meaning</dd></dl></article></main>
        <footer>Imprint</footer></body></html>""",
    )
    assert document.title == "Backups & restore"
    assert sections(document) == [
        (
            ("Backups & restore",),
            "Backups & restore\n\nRun make up\nfirst.\n\nNote\n\nCareful.\n\n- one\n- two\n  1. inner\n  2. last",
        ),
        (
            ("Backups & restore", "Listing"),
            "Listing\n\n  indented\n    more\n\nPorts\nPort | Use\n80 | web page\n\nterm\nmeaning",
        ),
    ]


def test_a_table_that_lays_out_a_page_is_read_as_the_page() -> None:
    document = parsed("old.html", "<table><tr><td><h1>Old</h1><p>Text</p></td><td><ul><li>x</ul></td></tr></table>")
    assert document.text == "Old\n\nText\n\n- x"


def test_html_is_read_in_its_declared_charset() -> None:
    page = '<html><head><meta charset="{}"></head><body>Größe “gut”</body></html>'
    assert parsed("a.html", page.format("windows-1252").encode("cp1252")).text == "Größe “gut”"
    assert parsed("a.html", page.format("ISO-8859-1").encode("cp1252")).text == "Größe “gut”"
    assert parsed("a.xhtml", '<?xml version="1.0" encoding="UTF-8"?><html><body>Größe</body></html>').text == "Größe"


def test_deeply_nested_html_does_not_exhaust_the_stack() -> None:
    assert "deep" in parsed("deep.html", "<div>" * 200 + "deep" + "</div>" * 200).text


def test_pdf_sections_are_pages_or_the_outline() -> None:
    assert sections(parsed("a.pdf", pdf_file(["First page", "Second page"]))) == [
        (("Page 1",), "First page"),
        (("Page 2",), "Second page"),
    ]
    outlined = PdfWriter(clone_from=io.BytesIO(pdf_file(["Intro. Install it here.", "More.", "Use it."])))
    chapter = outlined.add_outline_item(title="Install", page_number=0)
    outlined.add_outline_item(title="Details", page_number=1, parent=chapter)
    outlined.add_outline_item(title="Use", page_number=2)
    outlined.add_metadata({"/Title": "The manual"})
    output = io.BytesIO()
    outlined.write(output)
    document = parsed("manual.pdf", output.getvalue())
    assert document.title == "The manual"
    assert sections(document) == [
        ((), "Intro."),
        (("Install",), "Install it here."),
        (("Install", "Details"), "More."),
        (("Use",), "Use it."),
    ]


def test_docx_follows_its_heading_styles() -> None:
    word = docx.Document()
    word.add_heading("The manual", 0)
    word.add_heading("Install", 1)
    word.add_paragraph("Do this.")
    word.add_paragraph("first", style="List Bullet")
    table = word.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "port", "80"
    word.add_heading("Linux", 2)
    word.add_paragraph("Do that.")
    output = io.BytesIO()
    word.save(output)
    document = parsed("manual.docx", output.getvalue())
    assert document.title == "The manual"
    assert sections(document) == [
        ((), "The manual"),
        (("Install",), "Install\n\nDo this.\n- first\n\nport | 80"),
        (("Install", "Linux"), "Linux\n\nDo that."),
    ]


def test_csv_records_are_blocks_of_named_lines() -> None:
    document = parsed("ports.csv", 'port,use\n80,"web,\npage"\n\n443,\n')
    assert document.text == "port: 80\nuse: web, page\n\nport: 443"
    assert parsed("ports.csv", "port;use\n80;web, page\n").text == "port: 80\nuse: web, page"


def test_json_lines_records_have_headings_when_they_have_titles() -> None:
    document = parsed(
        "faq.jsonl",
        '{"title": "Ports", "text": "Use 80.\\n\\nOr 443.", "meta": {"tags": ["a", "b"], "n": 1, "x": null}}\n\n'
        '{"question": "why \\ud800?"}\n"plain"\n',
    )
    assert sections(document) == [
        (
            ("Ports",),
            "Ports\n\nmeta.tags: a, b\nmeta.n: 1\n\nUse 80.\n\nOr 443.\n\nquestion: why \ufffd?\n\nplain",
        )
    ]
