"""Chromium for tests, and what every page must satisfy."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

SIZES = {"desk": (1440, 900), "phone": (390, 844)}
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """This machine's own, headless."""
    path = next(found for found in map(shutil.which, NAMES) if found)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS.split(), "--no-first-run"])
        yield browser
        await browser.close()


async def accessible(page: Page) -> None:
    """Axe finds nothing serious (WCAG 2.2 AA)."""
    found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert len(found.response["passes"]) > 5
    bad = [
        (v["id"], node["target"], node.get("failureSummary"))
        for v in found.response["violations"]
        if v["impact"] in {"serious", "critical"}
        for node in v["nodes"]
    ]
    assert bad == []
