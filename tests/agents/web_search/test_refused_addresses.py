"""The table of what page fetch refuses. Every row could reach a server on this machine, which must hear nothing."""

from ipaddress import ip_address, ip_network

import pytest

from agents.web_search.addresses import AddressRules, RefusedAddress, is_public
from agents.web_search.pages import PageReader, PageUnreadable
from tests.agents.web_search.names import Names
from tests.agents.web_search.site import Site

LOOPBACK = "127.0.0.1"
METADATA = "169.254.169.254"
PUBLIC = "93.184.215.14"

REFUSED = {
    "loopback": "http://127.0.0.1:{port}/page",
    "loopback elsewhere": "http://127.8.8.8:{port}/page",
    "loopback of IPv6": "http://[::1]:{port}/page",
    "no address": "http://0.0.0.0:{port}/page",
    "no address of IPv6": "http://[::]:{port}/page",
    "private 10": "http://10.0.0.1:{port}/page",
    "private 172": "http://172.20.0.1:{port}/page",
    "private 192": "http://192.168.1.1:{port}/page",
    "carrier grade NAT": "http://100.64.0.1:{port}/page",
    "metadata of AWS": "http://169.254.169.254:{port}/latest/meta-data/",
    "metadata of AWS by IPv6": "http://[fd00:ec2::254]:{port}/latest/meta-data/",
    "credentials of EKS pods": "http://169.254.170.23:{port}/v1/credentials",
    "credentials of ECS tasks": "http://169.254.170.2:{port}/v2/credentials",
    "metadata of Alibaba": "http://100.100.100.200:{port}/latest/",
    "metadata of Azure": "http://168.63.129.16:{port}/metadata/",
    "link local": "http://[fe80::1]:{port}/page",
    "link local with a zone": "http://[fe80::1%25lo]:{port}/page",
    "unique local": "http://[fc00::1]:{port}/page",
    "multicast": "http://224.0.0.1:{port}/page",
    "broadcast": "http://255.255.255.255:{port}/page",
    "documentation": "http://192.0.2.1:{port}/page",
    "benchmarks": "http://198.18.0.1:{port}/page",
    "mapped IPv4": "http://[::ffff:127.0.0.1]:{port}/page",
    "mapped IPv4 in hex": "http://[::ffff:7f00:1]:{port}/page",
    "mapped public IPv4": "http://[::ffff:93.184.215.14]:{port}/page",
    "compatible IPv4": "http://[::127.0.0.1]:{port}/page",
    "NAT64": "http://[64:ff9b::7f00:1]:{port}/page",
    "6to4": "http://[2002:7f00:1::]:{port}/page",
    "Teredo": "http://[2001:0:7f00:1::]:{port}/page",
    "decimal": "http://2130706433:{port}/page",
    "octal": "http://0177.0.0.1:{port}/page",
    "hexadecimal": "http://0x7f.0.0.1:{port}/page",
    "hexadecimal in one": "http://0x7f000001:{port}/page",
    "shortened": "http://127.1:{port}/page",
    "padded with zeros": "http://127.000.000.001:{port}/page",
    "with a dot at its end": "http://127.0.0.1.:{port}/page",
    "circled digits": "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:{port}/page",
    "full stops of Chinese": "http://127\u30020\u30020\u30021:{port}/page",
    "wide digits": "http://\uff11\uff12\uff17.0.0.1:{port}/page",
    "percent signs": "http://%31%32%37.0.0.1:{port}/page",
    "a name of loopback": "http://inside.test:{port}/page",
    "a name of metadata": "http://metadata.test:{port}/latest/",
    "one private address among public ones": "http://mixed.test:{port}/page",
    "a mapped address behind a name": "http://mapped.test:{port}/page",
    "a name without address": "http://nowhere.test:{port}/page",
    "a name with an empty answer": "http://empty.test:{port}/page",
    "localhost": "http://localhost:{port}/page",
    "a name of the local network": "http://kubernetes:{port}/page",
    "a user": "http://pages.test@127.0.0.1:{port}/page",
    "a user that looks like a host": "http://pages.test:80@inside.test:{port}/page",
    "a backslash": "http://pages.test\\@127.0.0.1:{port}/page",
    "another port": "http://public.test:22/",
    "port 0": "http://public.test:0/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:{port}/_GET%20/page",
    "ftp": "ftp://public.test/",
    "data": "data:text/html,page",
    "javascript": "javascript:alert(1)",
    "no scheme": "//127.0.0.1:{port}/page",
    "no host": "http:///page",
    "a line end": "http://public.test:{port}/page\r\nHost: inside.test",
    "too long": "http://public.test:{port}/" + "a" * 2048,
}


def names() -> Names:
    return Names(
        inside=[[LOOPBACK]],
        metadata=[[METADATA]],
        mixed=[[PUBLIC, LOOPBACK]],
        mapped=[["::ffff:127.0.0.1"]],
        empty=[[]],
        localhost=[[LOOPBACK]],
        kubernetes=[[LOOPBACK]],
        public=[[PUBLIC]],
    )


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
async def test_the_address_is_refused_before_anything_is_sent(url: str, site: Site) -> None:
    reader = PageReader(100_000, 10, names(), AddressRules(frozenset({site.port})))
    heard = len(site.hosts)
    with pytest.raises(RefusedAddress):
        await reader.read(url.format(port=site.port), 1000)
    assert len(site.hosts) == heard


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254:{port}/latest/meta-data/",
        "http://inside.test:{port}/page",
        "http://2130706433:{port}/page",
        "http://user@pages.test:{port}/page",
        "http://pages.test:22/page",
        "file:///etc/passwd",
        "//[::1]:{port}/page",
        "http://[::ffff:127.0.0.1]:{port}/page",
        "http://[/",
    ],
)
async def test_a_redirect_is_checked_as_the_first_address_is(target: str, site: Site) -> None:
    rules = AddressRules(frozenset({site.port}), (ip_network("127.0.0.1/32"),))
    reader = PageReader(100_000, 10, Names(pages=[[LOOPBACK]], inside=[["127.0.0.2"]]), rules)
    heard = len(site.hosts)
    with pytest.raises(RefusedAddress):
        await reader.read(f"http://pages.test:{site.port}/redirect?to={target.format(port=site.port)}", 1000)
    assert len(site.hosts) == heard + 1


async def test_a_name_that_changes_between_check_and_connection_is_looked_up_once(site: Site) -> None:
    """DNS rebinding: the second answer would be the metadata service."""
    rules = AddressRules(frozenset({site.port}), (ip_network("127.0.0.1/32"),))
    rebinding = Names(rebind=[[LOOPBACK], [METADATA]])
    page = await PageReader(100_000, 10, rebinding, rules).read(f"http://rebind.test:{site.port}/page", 1000)
    assert "port 8080" in page.text
    assert rebinding.lookups == ["rebind.test"]


async def test_a_name_that_changes_between_two_redirects_is_refused(site: Site) -> None:
    rules = AddressRules(frozenset({site.port}), (ip_network("127.0.0.1/32"),))
    rebinding = Names(rebind=[[LOOPBACK], [METADATA]])
    with pytest.raises(RefusedAddress, match="not on the public internet"):
        await PageReader(100_000, 10, rebinding, rules).read(f"http://rebind.test:{site.port}/redirect?to=/page", 1000)
    assert rebinding.lookups == ["rebind.test", "rebind.test"]


async def test_redirects_end(site: Site) -> None:
    rules = AddressRules(frozenset({site.port}), (ip_network("127.0.0.1/32"),))
    reader = PageReader(100_000, 10, Names(pages=[[LOOPBACK]]), rules)
    heard = len(site.hosts)
    with pytest.raises(PageUnreadable, match="more than 5 times"):
        await reader.read(f"http://pages.test:{site.port}/loop", 1000)
    assert len(site.hosts) == heard + 6


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))
