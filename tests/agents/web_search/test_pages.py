import datetime
import ssl
from collections.abc import Generator
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agents.web_search.addresses import AddressRules
from agents.web_search.pages import PageReader, PageUnreadable
from tests.agents.web_search.names import Names
from tests.agents.web_search.site import Site

LOOPBACK = ip_network("127.0.0.1/32")


def reader(site: Site, seconds: float = 60, tls: ssl.SSLContext | None = None, most_bytes: int = 100_000) -> PageReader:
    """Takes the site's address for one of the internet."""
    names = Names(pages=[["127.0.0.1"]], other=[["127.0.0.1"]])
    return PageReader(most_bytes, seconds, names, AddressRules(frozenset({site.port}), (LOOPBACK,)), tls)


async def test_html_becomes_the_text_that_people_see(site: Site) -> None:
    page = await reader(site).read(f"http://pages.test:{site.port}/redirect?to=/page", 1000)
    assert page.url == f"http://pages.test:{site.port}/page"
    assert page.title == "Ports"
    assert page.text == "Ports\n\nThe service listens on port 8080.\n\nNothing else."
    assert page.complete
    assert site.hosts[-1] == f"pages.test:{site.port}"


async def test_a_long_page_comes_cut_and_clean(site: Site) -> None:
    page = await reader(site, most_bytes=2_000_000).read(f"http://pages.test:{site.port}/utf-8", 1000)
    assert page.text == ("Nothing else. " * 100)[:1000]
    assert not page.complete


async def test_text_is_read_in_the_charset_of_its_header_and_cut(site: Site) -> None:
    page = await reader(site).read(f"http://pages.test:{site.port}/latin", 4)
    assert (page.text, page.complete) == ("caf\xe9", False)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("large", "longer than 100000 bytes"),
        ("compressed", "compressed"),
        ("binary", "application/octet-stream"),
        ("punycode", "it is not in 'punycode'"),
        ("missing", "status 404"),
    ],
)
async def test_what_is_no_page_is_refused(path: str, reason: str, site: Site) -> None:
    with pytest.raises(PageUnreadable, match=reason):
        await reader(site).read(f"http://pages.test:{site.port}/{path}", 1000)


async def test_a_page_that_never_ends_is_given_up(site: Site) -> None:
    with pytest.raises(PageUnreadable, match=r"not there after 0\.5 s"):
        await reader(site, seconds=0.5).read(f"http://pages.test:{site.port}/slow", 1000)


@pytest.fixture(scope="module")
def secure_site(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Site, ssl.SSLContext]]:
    """A site with a certificate for pages.test, and what trusts it."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = _certificate(directory)
    running = Site()
    running.start(ssl_certfile=str(certificate), ssl_keyfile=str(key))
    yield running, ssl.create_default_context(cafile=str(certificate))
    running.stop()


async def test_an_encrypted_page_is_asked_by_its_name_at_the_checked_address(
    secure_site: tuple[Site, ssl.SSLContext],
) -> None:
    site, tls = secure_site
    page = await reader(site, tls=tls).read(f"https://pages.test:{site.port}/page", 1000)
    assert "port 8080" in page.text
    assert site.hosts == [f"pages.test:{site.port}"]


async def test_a_certificate_of_another_name_is_not_taken(secure_site: tuple[Site, ssl.SSLContext]) -> None:
    site, tls = secure_site
    with pytest.raises(PageUnreadable, match="ConnectError"):
        await reader(site, tls=tls).read(f"https://other.test:{site.port}/page", 1000)


def _certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pages.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pages.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "certificate.pem", directory / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
