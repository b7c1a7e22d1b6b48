"""Headless Chromium; the tests skip where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reported_run import make_report, make_reported

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    own = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium here: {error}")
        yield found
        found.close()


@pytest.fixture(scope="session")
def report(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of 78 simulated cells."""
    return make_report(make_reported(repository, tmp_path_factory.mktemp("results")))


class Opened:
    """A page opened from disk, with what it complained of and what it asked a network for."""

    def __init__(self, page: sync_api.Page, path: Path) -> None:
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#listed-body button")

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.requests.append(url)

    def column(self, table: str, name: str) -> list[str]:
        """The texts of one column of the rows shown."""
        header = self.page.locator(f"#{table} thead th").all_inner_texts()
        place = [text.strip() for text in header].index(name) + 1
        return [text.strip() for text in self.page.locator(f"#{table} tbody td:nth-child({place})").all_inner_texts()]


@pytest.fixture(params=[1400, 390], ids=["wide", "phone"])
def opened(request: pytest.FixtureRequest, browser: sync_api.Browser, report: Path) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": request.param, "height": 900}, offline=True)
    yield Opened(context.new_page(), report)
    context.close()
