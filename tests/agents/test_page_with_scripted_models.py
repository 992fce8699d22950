import re
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.agents.browsing import ask, overflows, running_browser, serious_findings
from tests.agents.conftest import Running

GROUNDED = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(params=[pytest.param((1280, 900), id="desktop"), pytest.param((390, 844), id="phone")])
def page(request: pytest.FixtureRequest, browser: Browser, service: Running) -> Generator[Page]:
    """The page, loaded; a script error or a violation of the content security policy fails the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 500)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Security Policy" in message.text else None)
    page.goto(service.url)
    yield page
    context.close()
    assert problems == []


def test_asking_reading_and_opening_a_citation_with_the_keyboard_alone(page: Page, service: Running) -> None:
    service.gateway.reply = GROUNDED
    expect(page.locator("#knowledge")).to_contain_text("3 documents")
    expect(page.locator("#provenance")).to_contain_text("no web search is configured")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("What does make down stop?")
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_contain_text("Runs that are still going are cancelled first.")
    citation = page.get_by_role("button", name="Source 1")
    expect(page.locator(".figures")).to_contain_text("grounded 1.00")
    for _ in range(10):
        page.keyboard.press("Tab")
        if citation.evaluate("element => element === document.activeElement"):
            break
    expect(citation).to_be_focused()
    page.keyboard.press("Enter")
    mark = page.locator("dialog mark")
    expect(mark).to_have_text("make down stops every process that make up started, and nothing else.")
    expect(mark).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Commands of the platform")).to_be_visible()
    assert not overflows(page)
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(citation).to_be_focused()


def test_the_answer_streams_in_while_the_model_still_writes(page: Page, service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    ask(page, "What does make down stop?")
    expect(page.locator(".answer")).to_contain_text("stops every process")
    expect(page.locator(".stages .now")).to_have_text("Write")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    service.gateway.hold.set()
    expect(page.locator(".answer")).to_contain_text("cancelled first")
    expect(page.get_by_role("button", name="Ask")).to_be_visible()


@pytest.mark.parametrize("by", ["button", "key"])
def test_an_answer_is_stopped_at_the_model_too(page: Page, service: Running, by: str) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    ask(page, "What does make down stop?")
    expect(page.locator(".answer")).to_contain_text("stops every process")
    if by == "button":
        page.get_by_role("button", name="Stop").click()
    else:
        page.keyboard.press("Escape")
    expect(page.locator(".verdict.stopped")).to_contain_text("You stopped this answer.")
    assert service.gateway.cancelled.wait(90)
    service.gateway.hold.set()
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer")).to_contain_text("cancelled first")
    expect(page.locator(".turn")).to_have_count(1)


def test_one_question_is_answered_at_a_time(page: Page, service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    ask(page, "What does make down stop?")
    expect(page.locator(".answer")).to_contain_text("stops every process")
    page.get_by_role("button", name="Stop").click()
    again = page.get_by_role("button", name="Ask again")
    expect(again).to_be_enabled()
    ask(page, "Does make down stop every process?")
    expect(page.locator(".answer").first).to_contain_text("stops every process")
    expect(again).to_be_disabled()
    assert serious_findings(page) == []
    service.gateway.hold.set()
    expect(page.locator(".figures").first).to_contain_text("grounded")
    again.click()
    expect(page.locator(".figures", has_text="grounded")).to_have_count(2)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_the_timeline_tells_how_an_answer_came_about(page: Page, service: Running) -> None:
    service.gateway.reply = f"It was all written in 1999. {GROUNDED}"
    ask(page, "What does make down stop?")
    page.get_by_text("How it came about").click()
    steps = page.locator(".timeline li")
    expect(steps.filter(has_text="Search")).to_contain_text("passages")
    expect(steps.filter(has_text="Judge")).to_contain_text("relevancy")
    expect(steps.filter(has_text="Check")).to_contain_text("a sentence was dropped")
    expect(page.locator(".timeline .trace")).to_have_text(re.compile(r"^Trace [0-9a-f]{32}$"))
    assert not overflows(page)


def test_it_says_that_it_does_not_know(page: Page) -> None:
    ask(page, "Who won the football championship in Brazil?")
    expect(page.locator(".verdict.abstained")).to_contain_text("I do not know")
    assert serious_findings(page) == []


def test_quotes_are_shown_as_quotes(page: Page, service: Running) -> None:
    service.gateway.reply = "It was all written in 1999."
    ask(page, "Which port does the agent service listen on?")
    expect(page.locator(".verdict.quoted")).to_be_visible()
    expect(page.locator(".sentence.quote").first).to_contain_text("The agent service listens on port 8080.")
    page.locator(".sources button").first.click()
    expect(page.locator("dialog mark")).to_contain_text("port 8080")
    page.get_by_role("button", name="Close the document").click()
    expect(page.locator("#panel")).to_be_hidden()


def test_an_error_can_be_tried_again(page: Page, service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.embedding_status = 500
    ask(page, "What does make down stop?")
    expect(page.get_by_role("alert")).to_contain_text("status 500")
    assert serious_findings(page) == []
    service.gateway.embedding_status = 200
    # What failed for a while is left alone until a probe succeeds.
    service.wait_until_ready()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer")).to_contain_text("stops every process")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 502, "content_type": "text/html", "body": "<html>Bad gateway</html>"}, "with status 502"),
        ({"status": 302, "headers": {"location": "https://id.example.com/"}}, "Reload the page to sign in again."),
    ],
    ids=["of a proxy", "of a load balancer that wants a sign-in"],
)
def test_an_answer_that_is_not_the_services_is_told_in_words(page: Page, answer: dict[str, Any], said: str) -> None:
    page.route("**/v1/ask", lambda route: route.fulfill(**answer))
    ask(page, "What does make down stop?")
    expect(page.get_by_role("alert")).to_contain_text(said)
    page.route("**/readyz", lambda route: route.fulfill(**answer))
    expect(page.locator("#knowledge")).to_contain_text(re.compile("not the assistant|sign in again"))


@pytest.mark.parametrize("ended", [True, False])
def test_programs_need_no_session_so_the_page_looks_elsewhere_whether_it_has_ended(page: Page, ended: bool) -> None:
    refusal = {"error": {"message": "sign in: send an API key"}}
    page.route("**/v1/ask", lambda route: route.fulfill(status=401, json=refusal))
    if ended:
        sign_in = {"location": "https://id.example.com/"}
        page.route("**/readyz", lambda route: route.fulfill(status=302, headers=sign_in))
    ask(page, "What does make down stop?")
    said = "Reload the page to sign in again." if ended else "send an API key"
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_nothing_of_a_question_becomes_html(page: Page) -> None:
    ask(page, "<img src=x onerror=alert(1)> Who won the cup?")
    expect(page.locator(".asked")).to_have_text("<img src=x onerror=alert(1)> Who won the cup?")
    expect(page.locator(".turn img")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, service: Running, scheme: str) -> None:
    service.gateway.reply = GROUNDED
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    ask(page, "What does make down stop?")
    expect(page.locator(".figures")).to_contain_text("grounded")
    for selector in (".answer", ".lede", ".figures", ".cite", ".asked", ".sources .file", "#send"):
        ratio = page.locator(selector).first.evaluate(CONTRAST)
        assert ratio >= 4.5, (selector, ratio)
    assert not overflows(page)


def test_without_a_state_database_no_conversations_are_offered(page: Page) -> None:
    expect(page.locator("#knowledge")).to_contain_text("3 documents")
    expect(page.get_by_role("button", name="Conversations", exact=True)).to_be_hidden()


@pytest.mark.parametrize("rating", ["Yes", "No"])
def test_a_rating_reaches_the_service(page: Page, service: Running, rating: str) -> None:
    service.gateway.reply = GROUNDED
    ask(page, "What does make down stop?")
    page.get_by_role("button", name=rating, exact=True).click()
    expect(page.locator(".feedback .status")).to_have_text("Thank you.")
    if rating == "No":
        page.get_by_label("What was wrong?").fill("It stops the worker, too.")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_label("What was wrong?")).to_be_hidden()
    metrics = httpx.get(f"{service.url}/metrics", timeout=60).text
    assert f'agents_feedback_total{{rating="{"up" if rating == "Yes" else "down"}"}} 0.0' not in metrics


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding(page: Page, service: Running, scheme: str) -> None:
    service.gateway.reply = GROUNDED
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    expect(page.locator("#knowledge")).to_contain_text("3 documents")
    assert serious_findings(page) == []
    ask(page, "What does make down stop?")
    page.get_by_text("How it came about").click()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Source 1").click()
    expect(page.locator("dialog mark")).to_be_in_viewport()
    assert serious_findings(page) == []


CONTRAST = """element => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  let behind = element, background = [0, 0, 0, 0];
  while (behind && (background.length === 4 && background[3] === 0)) {
    background = parse(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  }
  const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(background)].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
}"""
