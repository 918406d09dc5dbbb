"""One server and one browser for all tests of the page; each test has a visitor of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from .server import FLAGS, SMALL, Server, chromium, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving(*SMALL) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Visitor:
    """A visitor with a browser window of their own: ``page``; ``outside``: requests to other hosts; ``complaints``: of the console."""

    def __init__(self, browser: Any, server: Server, **options: Any) -> None:
        self.context = browser.new_context(locale="en-GB", **options)
        self.page = self.context.new_page()
        self.server = server
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.context.route("**/*", self._only_here)
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _only_here(self, route: Any) -> None:
        if route.request.url.startswith((self.server.address, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, address: str = "") -> Any:
        """Open the page and wait until all is drawn."""
        self.page.goto(self.server.address + address)
        self.settled(0)
        return self.page

    @property
    def drawn(self) -> int:
        return int(self.page.evaluate("Number(document.documentElement.dataset.drawn ?? 0)"))

    def settled(self, before: int) -> None:
        """Wait until the page has drawn more often than ``before``, and the map is there."""
        self.page.wait_for_function("before => Number(document.documentElement.dataset.drawn ?? 0) > before", arg=before)
        self.page.wait_for_selector("#figure-map svg, #map .help")

    def set(self, name: str, value: str) -> None:
        """Set a field of the form as its user does, and wait for the answer."""
        before = self.drawn
        field = self.page.locator(f"[name='{name}']:not([type=hidden])")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.dispatch_event("change")
        self.settled(before)

    def press(self, selector: str) -> None:
        """Press a button that changes the form, and wait for the answer."""
        before = self.drawn
        self.page.locator(selector).click()
        self.settled(before)

    def open_design(self, name: str) -> None:
        if not self.page.locator(f"details.design[data-design='{name}']").evaluate("one => one.open"):
            self.page.locator(f"details.design[data-design='{name}'] > summary").click()

    def table(self, host: str = "#answer") -> dict[str, list[str]]:
        """Return the cells of a table by design."""
        rows = self.page.locator(f"{host} tbody tr")
        return {
            rows.nth(k).get_attribute("data-design"): rows.nth(k).locator("td").all_inner_texts()
            for k in range(rows.count())
        }  # fmt: skip


@pytest.fixture
def visitor(browser: Any, server: Server) -> Iterator[Visitor]:
    one = Visitor(browser, server, viewport={"width": 1280, "height": 900})
    yield one
    one.context.close()


@pytest.fixture
def another(browser: Any, server: Server) -> Iterator[Visitor]:
    one = Visitor(browser, server, viewport={"width": 1280, "height": 900})
    yield one
    one.context.close()
