"""The conversations that the page offers where the service keeps them."""

import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from agents.caller import LOCAL
from agents.routes.conversations import PAGE
from tests.agents.browsing import ask, overflows, running_browser, serious_findings
from tests.agents.conftest import Running

GROUNDED = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def page(browser: Browser, start_service: Callable[..., Running], state: Path) -> Generator[Page]:
    running = start_service(access={"state": {"engine": "sqlite", "path": str(state)}})
    running.wait_until_ready()
    running.gateway.reply = GROUNDED
    page = browser.new_page()
    page.goto(running.url)
    yield page
    page.close()


def test_conversations_are_kept_opened_and_deleted(page: Page) -> None:
    ask(page, "What does make down stop?")
    expect(page.locator(".figures")).to_contain_text("grounded")
    ask(page, "Which port does the agent service listen on?")
    expect(page.locator(".feedback:visible")).to_have_count(2)
    page.get_by_role("button", name="Conversations", exact=True).click()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Conversations", exact=True).click()
    assert serious_findings(page) == []
    page.get_by_role("button", name=re.compile("^What does make down stop")).click()
    expect(page.locator(".turn .asked")).to_have_text(
        ["Which port does the agent service listen on?", "What does make down stop?"]
    )
    expect(page.locator(".turn").last.locator(".answer")).to_contain_text(
        "Runs that are still going are cancelled first."
    )
    expect(page.locator(".turn").last.locator(".stages")).to_have_text("VerifySearchJudgeWriteCheck")
    page.locator(".turn").last.get_by_text("How it came about").click()
    expect(page.locator(".turn").last.locator(".trace")).to_have_text(re.compile(r"^Trace [0-9a-f]{32}$"))
    page.get_by_role("button", name="Conversations", exact=True).click()
    page.get_by_role("button", name="Delete: What does make down stop").click()
    expect(page.get_by_text("Nothing was asked yet.")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_all_conversations_are_reached_with_the_keyboard_a_page_after_the_other(page: Page, state: Path) -> None:
    count = 2 * PAGE + 1
    begun = [(LOCAL.id, str(number), f"Question {number}?", number, number // 3) for number in range(count)]
    with closing(sqlite3.connect(state)) as database, database:
        database.executemany("INSERT INTO conversations VALUES (?, ?, ?, ?, ?)", begun)
    page.get_by_role("button", name="Conversations", exact=True).click()
    rows, more = page.locator("#history-list li"), page.get_by_role("button", name="More", exact=True)
    expect(rows).to_have_count(PAGE)
    assert serious_findings(page) == []
    for shown in (PAGE, 2 * PAGE):
        more.focus()
        page.keyboard.press("Enter")
        expect(rows.nth(shown).locator(".title")).to_be_focused()
    expect(more).to_be_hidden()
    assert not overflows(page)
    titles = rows.locator(".title").evaluate_all("buttons => buttons.map(button => button.firstChild.textContent)")
    assert sorted(titles) == sorted(title for _, _, title, _, _ in begun)
    rows.nth(PAGE).get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(count - 1)
