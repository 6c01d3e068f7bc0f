"""A person at a real browser: Chromium without a window, and the words for what people do with Odoo's pages."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .places import Unavailable

__all__ = ["Person", "at_a_browser"]

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
OPTIONS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--font-render-hinting=none",
)  # fmt: skip
SIZE: Final = {"width": 1280, "height": 800}
PATIENCE_MS: Final = 15_000
STEP_MS: Final = 50
ASKS: Final = ("fetch", "xhr")
STILL: Final = "*, *::before, *::after { transition: none !important; animation: none !important; caret-color: #0000 }"


@contextmanager
def at_a_browser(url: str, pictures: Path | None) -> Iterator[Person]:
    """A person who looks at Odoo at *url*; what is to be kept goes to the folder *pictures*.

    Raises:
        Unavailable: this machine has no browser, or no playwright; neither is fetched.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise Unavailable(f"there is no browser here ({', '.join(NAMES)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Unavailable("playwright is not installed (the dependency group walk)") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*OPTIONS])
        try:
            yield Person(browser, url, pictures)
        finally:
            browser.close()


class Person:
    """Somebody who looks at pages and presses what is on them.

    What it does waits until the page shows what it is done to; what it `sees` has to be there, or come soon.
    """

    def __init__(self, browser: Any, url: str, pictures: Path | None) -> None:
        self._browser, self.url, self._pictures = browser, url, pictures
        self.errors: list[str] = []
        """What went wrong in the pages' scripts, and answers that are a server's failure."""
        self._asked: list[Request] = []
        self.page = self._page()

    def _page(self) -> Page:
        page = self._browser.new_context(viewport=SIZE, locale="en-US", timezone_id="America/New_York").new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        page.on("console", lambda said: self.errors.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("request", lambda asked: self._asked.append(asked) if asked.resource_type in ASKS else None)
        for ended in ("requestfinished", "requestfailed"):
            page.on(ended, lambda asked: self._asked.remove(asked) if asked in self._asked else None)
        page.on("response", lambda got: self.errors.append(f"{got.status} {got.url}") if got.status >= 500 else None)
        return page

    # Where it is

    def logs_in(self, user: str = "admin") -> None:
        """Come in as *user*, whose password is its name."""
        self.page.goto(f"{self.url}/web/login?redirect=/odoo/discuss")
        self.page.fill("input[name=login]", user)
        self.page.fill("input[name=password]", user)
        self.page.click(".oe_login_form button[type=submit]")
        self.page.wait_for_selector(".o_main_navbar")

    def opens(self, action: str, record: int | str = "", view: str = "") -> None:
        """Go to the window *action* (its external id), or to a record in it, as a bookmark leads there."""
        target = f"{self.url}/odoo/action-{action}" + (f"/{record}" if record else "")
        self.page.goto(f"{target}?view_type={view}" if view else target)
        self.settles()

    def goes_through(self, *menus: str) -> None:
        """Walk through the menus of the application that is open."""
        for menu in menus:
            self.page.locator(".o_menu_sections, .o-dropdown--menu").get_by_text(menu, exact=True).last.click()
        self.settles()

    def reloads(self) -> None:
        self.page.reload()
        self.settles()

    def settles(self) -> None:
        """Wait until a view is there, and nothing is asked of the server any more."""
        self.page.wait_for_selector(".o_action_manager .o_view_controller, .o_action_manager .o_form_view")
        self._waits()

    def _waits(self) -> None:
        """Until every answer that the page asked for is there, and it asks nothing further."""
        quiet = 0
        for _ in range(PATIENCE_MS // STEP_MS):
            self.page.wait_for_timeout(STEP_MS)
            quiet = 0 if self._asked else quiet + 1
            if quiet == 3:
                return
        raise TimeoutError(f"the page still waits for {', '.join(request.url for request in self._asked)}")

    # What it does

    def presses(self, name: str, *, confirm: bool = False) -> None:
        """Press the button *name* (a method's name, or the text on it) in the dialog, else on the page."""
        self.button(name).click()
        if confirm:
            self.page.locator(".modal-footer .btn-primary").last.click()
        self._waits()

    def button(self, name: str) -> Locator:
        """The buttons of that method or text which can be seen."""
        named = self._front().locator(f"button[name='{name}']:visible")
        return named.first if named.count() else self._front().locator(f"button:visible:has-text('{name}')").first

    def has(self, name: str) -> bool:
        """Whether there is such a button now."""
        return self.button(name).count() > 0

    def writes(self, field: str, text: str) -> None:
        """Fill a field with *text*."""
        place = self.field(field).locator("input:visible, textarea:visible").first
        place.fill(text)
        place.press("Tab")
        self._waits()

    def writes_in(self, field: str, row: str, column: str, text: str) -> None:
        """Fill *column* of that row of a list which has the text *row*."""
        found = self.field(field).locator("tr.o_data_row").filter(has_text=row)
        found.locator(f"td[name='{column}']").first.click()
        found.locator(f"td[name='{column}'] input").first.fill(text)

    def picks(self, field: str, text: str) -> None:
        """Choose the record that is called *text*."""
        self.field(field).locator("input").first.fill(text)
        self.page.locator(".o-autocomplete--dropdown-item").filter(has_text=text).first.click()
        self._waits()

    def selects(self, field: str, text: str) -> None:
        """Choose *text* of what the field offers: a list that opens, or buttons that are all there."""
        place = self.field(field)
        if place.locator("input[type=radio]").count():
            place.get_by_label(text, exact=True).check()
        elif place.locator("select").count():
            place.locator("select").first.select_option(label=text)
        else:
            place.locator("input").first.click()
            self.page.locator(".o_select_menu_item, .o-dropdown-item").get_by_text(text, exact=True).first.click()
        self._waits()

    def turns_to(self, page: str) -> None:
        """Open the *page* of a notebook."""
        self._front().locator(f".o_notebook .nav-link[name='{page}']").click()

    def saves(self) -> None:
        self._front().locator(".o_form_button_save").first.click()
        self._waits()

    def calls(self, model: str, method: str, record: int) -> None:
        """What a button elsewhere does, such as one of the administrator's pages."""
        asked = {"model": model, "method": method, "args": [[record]], "kwargs": {}}
        body = {"jsonrpc": "2.0", "method": "call", "params": asked}
        answer = self.page.request.post(f"{self.url}/web/dataset/call_kw", data=body).json()
        if "error" in answer:
            raise AssertionError(answer["error"]["data"]["message"])

    # What it sees

    def field(self, name: str) -> Locator:
        """The place of field *name*."""
        return self._front().locator(f".o_field_widget[name='{name}']").first

    def reads(self, name: str) -> str:
        """What stands in a field."""
        place = self.field(name)
        inputs = place.locator("input:visible, textarea:visible")
        text = inputs.first.input_value() if inputs.count() else place.inner_text()
        return text.strip()

    def sees(self, *texts: str, within: str = "body") -> None:
        """Each of *texts* is on the page, or comes soon.

        Raises:
            AssertionError: one is not.
        """
        for text in texts:
            found = self.page.locator(f"{within} >> visible=true").get_by_text(text).locator("visible=true").first
            try:
                found.wait_for()
            except Exception as error:
                shown = self.page.locator(within).first.inner_text() if self.page.locator(within).count() else ""
                raise AssertionError(f"{text!r} is not to be seen in {within} of {self.where}:\n{shown}") from error

    @property
    def where(self) -> str:
        return self.page.url.removeprefix(self.url)

    def keeps(self, name: str) -> None:
        """A picture of what is on the screen now."""
        if self._pictures is None:
            return
        from PIL import Image

        self.page.add_style_tag(content=STILL)
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        self.page.wait_for_timeout(300)
        drawn = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        # A page of Odoo has few colours: a palette makes the file a third.
        drawn.quantize(128, dither=Image.Dither.NONE).save(self._pictures / f"{name}.png", optimize=True)

    def _front(self) -> Locator:
        """The dialog where one is open, else the page."""
        dialog = self.page.locator(".modal.o_technical_modal:visible, .modal-dialog:visible")
        return dialog.last if dialog.count() else self.page.locator("body")
