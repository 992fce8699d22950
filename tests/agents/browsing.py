"""A real Chromium, driven by Playwright, in front of the assistant's page."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WITHIN_MILLISECONDS = 120_000


@contextmanager
def running_browser() -> Generator[Browser]:
    """The browser, until the end of the block."""
    # On a busy machine an answer takes longer than the 5 s for which Playwright waits by itself.
    expect.set_options(timeout=WITHIN_MILLISECONDS)
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS, timeout=WITHIN_MILLISECONDS)
        yield browser
        browser.close()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def overflows(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def serious_findings(page: Page) -> list[tuple[str, str]]:
    # What is still fading in has less contrast than it will have.
    page.emulate_media(reduced_motion="reduce")
    found = Axe().run(page).response["violations"]
    return [
        (finding["id"], node["html"])
        for finding in found
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]
