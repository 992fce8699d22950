"""What the page says of the web: whether it is searched, and which sources are of it."""

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.agents.browsing import ask, overflows, running_browser, serious_findings
from tests.agents.talking import Talk, talk, web_route
from tests.agents.web_search.tavily_api import page as found

ADDRESS = "https://football.example.com/brazil?season=2019"
TEXT = "Flamengo won the football championship in Brazil in 2019. The final was played in Rio."
REPLY = "Flamengo won the football championship in Brazil in 2019."

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def talking(tmp_path: Path) -> Generator[Talk]:
    with talk(tmp_path) as running:
        running.gateway.reply = REPLY
        running.tavily.results = [found(TEXT, ADDRESS, "Champions")]
        web_route(running, on=True)
        yield running


def test_a_source_from_the_web_is_marked_and_leads_to_the_page_that_it_is(browser: Browser, talking: Talk) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(talking.running.url)
    expect(page.locator("#provenance")).to_contain_text("then on the web")
    ask(page, "Who won the football championship in Brazil?")
    expect(page.locator(".answer")).to_contain_text(REPLY)
    expect(page.locator(".stages")).to_contain_text("Web")
    source = page.locator(".sources .web")
    expect(source.locator(".place")).to_have_text("Champions")
    expect(source.locator(".file")).to_have_text("Web · football.example.com")
    source.get_by_role("button").click()
    expect(page.locator("dialog mark")).to_have_text(REPLY)
    expect(page.locator("#panel-source")).to_contain_text("found on the web, not in the knowledge base")
    link = page.get_by_role("link", name=ADDRESS)
    expect(link).to_have_attribute("href", ADDRESS)
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert serious_findings(page) == []
    assert not overflows(page)
    page.close()


def test_the_page_says_why_the_web_is_not_searched(browser: Browser, talking: Talk) -> None:
    talking.web.stop()
    web_route(talking, on=False)
    page = browser.new_page()
    page.goto(talking.running.url)
    expect(page.locator("#provenance")).to_contain_text("does not answer")
    expect(page.locator("#knowledge")).to_contain_text("3 documents")
    page.close()
